//! How fast the UDP tunnel is on this machine: so many mebibytes (100 unless told) through two
//! stacks in one process, over loopback.

use std::net::SocketAddr;

use aperto_tokio::{Builder, TunnelConfig, UdpTunnel, clock, secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mebibytes: usize = std::env::args().nth(1).map_or(Ok(100), |text| text.parse())?;
    let config = || -> Result<_, Box<dyn std::error::Error>> {
        Ok(aperto_host::Config { secret: secret()?, ..aperto_host::Config::default() })
    };
    let wire = UdpTunnel::on(SocketAddr::from(([127, 0, 0, 1], 0)), TunnelConfig::default())?;
    let address = wire.local_addr();
    let (server, _driver) = Builder::new(config()?).wire(Box::new(wire)).spawn();
    let listener = server.listen(address, 8)?;
    let wire = UdpTunnel::to(address, TunnelConfig::default())?;
    let local = wire.local_addr();
    let (client, _driver) = Builder::new(config()?).wire(Box::new(wire)).spawn();

    let began = clock::now();
    let mut writer = client.connect_from(local, address).await?;
    let (mut reader, _) = listener.accept().await?;
    let writing = tokio::spawn(async move {
        let piece = vec![0x61; 1 << 20];
        for _ in 0..mebibytes {
            writer.write_all(&piece).await?;
        }
        writer.shutdown().await
    });
    let mut piece = vec![0; 1 << 20];
    let mut octets = 0_usize;
    loop {
        let read = reader.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        octets += read;
    }
    writing.await??;
    let took = clock::now().since(began);
    let mut out = tokio::io::stdout();
    let gigabits = octets as f64 * 8.0 / took.as_secs_f64() / 1e9;
    let text = format!("{octets} octets in {took:.2?}: {gigabits:.2} Gbit/s\n{:?}\n", client.counters());
    out.write_all(text.as_bytes()).await?;
    out.flush().await?;
    Ok(())
}
