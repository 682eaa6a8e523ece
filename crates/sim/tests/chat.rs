//! Chats in random worlds: what was confirmed is shown once, in one order, to all.

use aperto_sim::chat::{Counts, plot, run};

/// RELIABILITY G18, I-25, I-28; ten thousand seeds are the campaign of `./test.sh`.
#[test]
fn three_hundred_chats_show_every_confirmed_message_once_and_in_one_order() {
    let mut total = Counts::default();
    for seed in 1..=300 {
        let report = run(seed);
        assert_eq!(report.failure, None, "seed {seed}: {}", report.dimensions);
        total.said += report.counts.said;
        total.broken += report.counts.broken;
        total.restarts += report.counts.restarts;
        total.torn += report.counts.torn;
        total.damaged += report.counts.damaged;
    }
    // What should go wrong does.
    assert!(total.said > 3_000, "{total:?}");
    assert!(total.broken > 500 && total.restarts > 100 && total.torn > 5 && total.damaged > 5, "{total:?}");
}

#[test]
fn the_same_seed_gives_the_same_chat() {
    for seed in 1..=20 {
        assert_eq!(run(seed).hash, run(seed).hash, "seed {seed}");
    }
    assert_ne!(run(1).hash, run(2).hash);
}

#[test]
fn plots_differ_in_everything_that_they_can() {
    let plots: Vec<_> = (1..=300).map(plot).collect();
    for members in 2..=5 {
        assert!(plots.iter().any(|plot| plot.parts.len() == members));
    }
    let parts = || plots.iter().flat_map(|plot| &plot.parts);
    assert!(parts().any(|part| part.leaves.is_some()) && parts().any(|part| !part.breaks.is_empty()));
    assert!(parts().any(|part| part.ask.window == 1) && parts().any(|part| part.ask.window == 64));
    assert!(plots.iter().any(|plot| plot.kills.len() == 3) && plots.iter().any(|plot| plot.kills.is_empty()));
}
