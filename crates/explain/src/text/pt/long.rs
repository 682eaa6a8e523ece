//! Why a segment leaves, in two or three sentences, in Portuguese.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{Reason, State};
use aperto_time::Duration;

use crate::context::Context;
use crate::{Language, quantity};

fn time(duration: Duration) -> String {
    quantity::duration(Language::Portuguese, duration)
}

pub(crate) fn long(reason: &Reason, context: &Context) -> String {
    match reason {
        Reason::ActiveOpen => "A aplicação pediu uma conexão. O SYN leva o número de sequência inicial: o ponto \
            a partir do qual este lado vai contar seus bytes. Ele mesmo gasta um número, para que possa ser \
            reconhecido."
            .to_string(),
        Reason::PassiveOpen { irs } => format!(
            "Um SYN chegou a uma porta em que uma aplicação escuta. A resposta faz duas coisas de uma vez: \
             reconhece o SYN do outro lado, que gastou o número {}, e leva um SYN próprio, porque cada sentido \
             conta os seus bytes.",
            context.numbers.other(*irs)
        ),
        Reason::SimultaneousOpen { .. } => "Os dois lados enviaram um SYN antes de ver o do outro. Ninguém é \
            cliente nem servidor: cada um reconhece o SYN do outro, e o resultado é uma conexão só, não duas."
            .to_string(),
        Reason::HandshakeAck { irs } => {
            let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
            format!(
                "O terceiro segmento confirma o SYN do outro lado: {used} + 1 = {next}. Só agora o outro lado sabe \
                 que os seus segmentos chegam aqui, e que o primeiro SYN não era uma cópia antiga."
            )
        }
        Reason::Data { because, acknowledges, .. } => data(because, *acknowledges),
        Reason::Fin { peer_closed_first, .. } => if *peer_closed_first {
            "Este lado também fecha. O TCP tem dois sentidos, e cada um é fechado pelo seu próprio FIN: o primeiro \
             só disse que o outro lado não tinha mais nada a enviar."
        } else {
            "A aplicação fechou, então este lado não tem mais bytes a enviar. O FIN gasta um número de sequência, \
             para poder ser reconhecido e reenviado como os dados. O outro sentido continua aberto."
        }
        .to_string(),
        Reason::Retransmission { because, .. } => retransmission(because),
        Reason::Ack(cause) => ack(cause, context),
        Reason::WindowProbe { next, .. } => format!(
            "A janela do outro lado é 0: não há espaço. Quando houver, ele avisa com um ACK; mas esse ACK pode se \
             perder, e os dois esperariam para sempre. Por isso este lado sonda de tempos em tempos; a próxima \
             sonda sai em {}.",
            time(*next)
        ),
        Reason::KeepAlive { idle, .. } => format!(
            "Nada chegou durante {}. A sonda tem um número de sequência que já foi reconhecido faz tempo; quem \
             estiver lá precisa responder com um ACK. Sem resposta nenhuma, a conexão é abandonada.",
            time(*idle)
        ),
        Reason::Reset(cause) => reset(cause),
    }
}

fn data(because: &DataCause, acknowledges: u32) -> String {
    match because {
        DataCause::Written if acknowledges > 0 => "Todo segmento tem lugar para um reconhecimento. Como havia dados \
            a enviar, o ACK vai de carona com eles e não precisa de um segmento só para si: é para isso que serve \
            atrasar os ACKs.",
        DataCause::Written => "A aplicação escreveu, e nada impediu o envio: a janela do outro lado tem espaço, a \
            janela de congestionamento também, e Nagle não espera. O TCP numera bytes, não mensagens nem letras.",
        DataCause::CongestionWindowOpened { .. } => "Os dados estavam esperando: a janela de congestionamento limita \
            quantos bytes podem estar a caminho ao mesmo tempo. Um ACK disse que alguns já saíram da rede e abriu \
            espaço.",
        DataCause::WindowOpened { .. } => "Os dados esperavam pelo outro lado: a janela dele é o espaço que a \
            aplicação deixa livre no buffer de recepção. A janela cresceu, então os dados podem seguir. Isso é o \
            controle de fluxo.",
        DataCause::NagleReleased => "O algoritmo de Nagle deixa só um segmento pequeno a caminho. Tudo o que veio \
            antes já foi reconhecido, então este pode ir. Junto com um ACK atrasado do outro lado, essa espera \
            pode ser longa.",
        DataCause::Filled => "Um segmento pequeno tinha sido segurado, na esperança de que a aplicação escrevesse \
            mais. Ela escreveu: agora há o bastante para um segmento cheio.",
        DataCause::OverrideTimeout => "Um segmento pequeno foi segurado para não enviar migalhas (síndrome da janela \
            boba). Não vieram mais dados nem mais espaço, e um temporizador cuida para que ele não espere para \
            sempre.",
        DataCause::LimitedTransmit { .. } => "Um ou dois ACKs repetidos podem ser uma perda ou só uma troca de ordem. \
            Cada um diz que um segmento saiu da rede, então um segmento novo pode entrar. Assim os ACKs continuam \
            a vir, e o terceiro repetido chega mais cedo.",
        DataCause::Recovery { .. } => "Uma perda está sendo reparada. Enquanto isso, entram na rede tantos segmentos \
            quantos saíram: pipe estima quantos bytes ainda estão a caminho, e havia espaço abaixo de cwnd.",
    }
    .to_string()
}

fn retransmission(because: &RetransmissionCause) -> String {
    match because {
        RetransmissionCause::Timeout { rto, next_rto, attempt, .. } => format!(
            "Nenhum ACK veio durante {}, o tempo limite de reenvio ({attempt}ª vez). De agora em diante ele é de \
             {}, porque impaciência só pioraria o congestionamento. A janela de congestionamento cai para um \
             segmento: perda é lida como congestionamento.",
            time(*rto),
            time(*next_rto)
        ),
        RetransmissionCause::AfterTimeout { .. } => "O temporizador tinha achado a primeira de várias perdas. O que \
            foi enviado antes dele também conta como perdido, e é reenviado conforme a janela de congestionamento \
            cresce: partida lenta."
            .to_string(),
        RetransmissionCause::FastRetransmit { .. } => "Cada ACK repetido diz: chegou alguma coisa, mas não a que eu \
            espero. Três deles são tomados por uma perda, porque uma simples troca de ordem raramente vai tão \
            longe. O segmento que falta é reenviado já, muito antes do temporizador."
            .to_string(),
        RetransmissionCause::SackHole { .. } => "Com SACK, o outro lado lista o que recebeu além da lacuna; assim \
            este lado enxerga cada lacuna e pode preencher várias em um só RTT."
            .to_string(),
        RetransmissionCause::PartialAck { .. } => "O ACK cobre o segmento reenviado, mas não tudo o que tinha sido \
            enviado antes de a perda ser notada: então o seguinte também se perdeu. Ele é reenviado sem esperar \
            mais três repetidos."
            .to_string(),
        RetransmissionCause::PathTooNarrow { .. } => "Um roteador no caminho não pôde repassar o pacote: ele é \
            maior do que o próximo enlace carrega e não pode ser dividido. O que estava em trânsito é reenviado \
            em segmentos menores; isso não é sinal de congestionamento."
            .to_string(),
        RetransmissionCause::SynAgain => "Quem envia o SYN outra vez não recebeu o nosso SYN,ACK. Ele é reenviado \
            já, sem esperar o nosso próprio temporizador."
            .to_string(),
    }
}

fn ack(cause: &AckCause, context: &Context) -> String {
    match cause {
        AckCause::SecondSegment { .. } => "Um ACK pode esperar um pouco por dados com que viajar, mas ao menos a cada \
            dois segmentos cheios é preciso reconhecer. São os ACKs que fazem andar a janela de quem envia."
            .to_string(),
        AckCause::Delayed { waited, .. } => format!(
            "ACK atrasado: esperou {} por dados com que viajar, e não veio nenhum. No máximo 500 ms, e ao menos um \
             ACK a cada dois segmentos cheios",
            time(*waited)
        ),
        AckCause::NotDelayed { .. } => "Aqui os ACKs atrasados estão desligados, então cada segmento com dados é \
            reconhecido na hora: mais segmentos, e um remetente que sabe mais cedo."
            .to_string(),
        AckCause::OutOfOrder { expected, arrived } => format!(
            "Chegou um segmento com seq {} e ainda falta o byte {}. O ACK só pode dizer o que chegou em ordem, por \
             isso se repete, e sem demora: quem envia conta essas repetições.",
            context.numbers.other(*arrived),
            context.numbers.other(*expected)
        ),
        AckCause::HoleFilled { .. } => "O pedaço que faltava chegou. O que tinha sido guardado além da lacuna passa a \
            valer de uma vez, e um só ACK salta por cima de tudo."
            .to_string(),
        AckCause::Duplicate { .. } => "Tudo o que o segmento traz já tinha chegado: talvez o nosso ACK tenha se \
            perdido. O silêncio faria o outro lado reenviar para sempre, então ele ouve de novo o que é esperado."
            .to_string(),
        AckCause::Unacceptable { .. } => "Nenhuma parte do segmento cai na janela de recepção, então nada dele é \
            usado. A resposta é um ACK que diz qual byte é esperado, para que os dois lados voltem a concordar."
            .to_string(),
        AckCause::OldTimestamp { .. } => "O carimbo de tempo é mais antigo que o último visto, então isto é uma cópia \
            velha, mesmo que o número de sequência sirva: em conexões rápidas os números dão a volta."
            .to_string(),
        AckCause::AckOfUnsent { .. } => "O segmento reconhece bytes que este lado nunca enviou. Ele não é usado; a \
            resposta diz onde este lado realmente está."
            .to_string(),
        AckCause::FinArrived { half_closed: true } => "O outro lado fechou o sentido dele. O FIN gastou um número, \
            por isso o ACK é um a mais. Este lado pode continuar a enviar quanto quiser: a conexão está \
            meio-fechada."
            .to_string(),
        AckCause::FinArrived { half_closed: false } => match context.state {
            Some(State::Closing | State::FinWait1) => "Os dois lados enviaram um FIN antes de ver o do outro. Cada um \
                reconhece o do outro, e ambos terminam em TIME_WAIT."
                .to_string(),
            _ => "Este é o último segmento. Se ele se perder, o outro lado reenvia o FIN, e alguém precisa estar lá \
                para responder: por isso este lado fica em TIME_WAIT por duas vezes o tempo de vida máximo de um \
                segmento (2×MSL)."
                .to_string(),
        },
        AckCause::WindowUpdate { .. } => "A aplicação leu, então o buffer de recepção tem espaço de novo. A janela só \
            é anunciada quando cresceu o bastante: pelo menos um segmento cheio ou metade do buffer, nunca migalha \
            por migalha."
            .to_string(),
        AckCause::Challenge(cause) => challenge(cause),
        AckCause::ProbeAnswered => "Uma sonda pergunta se há alguém lá e se há espaço. A resposta é um ACK comum: \
            mostra o próximo byte esperado e a janela deste momento."
            .to_string(),
    }
}

fn challenge(cause: &ChallengeCause) -> String {
    match cause {
        ChallengeCause::Reset { .. } => "Um estranho poderia adivinhar um número dentro da janela e derrubar a conexão \
            com um RST forjado. Só vale um RST exatamente no próximo byte esperado; este é desafiado: se for \
            verdadeiro, o outro lado responde ao ACK com um RST que serve.",
        ChallengeCause::Syn => "Um SYN em conexão aberta é uma cópia antiga, uma falsificação, ou o outro lado foi \
            reiniciado e esqueceu a conexão. O ACK tira a dúvida: quem esqueceu responde com um RST.",
        ChallengeCause::OldAck { .. } => "O reconhecimento é mais antigo do que qualquer coisa que ainda pudesse estar \
            a caminho. Quem injeta dados às cegas precisa adivinhar também esse número; o ACK diz a um parceiro \
            honesto onde estamos.",
    }
    .to_string()
}

fn reset(cause: &ResetCause) -> String {
    match cause {
        ResetCause::NoConnection => "Ninguém escuta nesta porta e não existe essa conexão. O RST diz isso na hora; a \
            aplicação do outro lado recebe \"connection refused\" ou \"connection reset\".",
        ResetCause::UnacceptableAck { .. } => "O segmento reconhece algo que nunca foi enviado daqui, antes de a \
            conexão estar aberta: deve ser de uma conexão mais antiga. O RST encerra aquela.",
        ResetCause::Abort => "A aplicação abortou em vez de fechar. Os dados ainda não enviados são jogados fora, e o \
            outro lado é avisado por um RST; ninguém espera por nada.",
        ResetCause::UnreadData { .. } => "A aplicação saiu enquanto dados para ela chegavam, ou ainda chegam. Um FIN \
            diria que está tudo bem; o RST diz com honestidade ao outro lado que os dados dele não foram lidos.",
        ResetCause::GaveUp => "O outro lado não respondeu por mais tempo do que a aplicação aceita esperar. O RST é \
            para o caso de ele estar lá, afinal.",
    }
    .to_string()
}
