//! `--secure` over a TUN device: OpenSSL over the running kernel's TCP at the other end of ours.

use std::process::Command;

use crate::openssl::Openssl;
use crate::secrets::{followed, records};
use crate::secure::User;
use crate::support::{Program, has};
use crate::tun::in_namespace;

/// RELIABILITY §5.5: the keys change in the middle, and tshark goes on reading. RFC 8446 §4.6.3.
#[test]
fn openssl_over_the_kernel_talks_to_our_tcp_and_new_keys_are_followed() {
    let name = "openssl_over_the_kernel_talks_to_our_tcp_and_new_keys_are_followed";
    if !has(name, &["openssl", "tshark"]) {
        return;
    }
    in_namespace("secure_tun", name, || {
        let ana = User::new();
        let file = ana.0.file("tun.pcapng");
        let flags = ["--wire", "tun", "--echo", "--once", "-w", &file, "--with-keys"];
        let (server, address) = ana.serves(80, &flags);
        assert!(address.starts_with("aperto://10.9.0.2:80/#"), "{address}");
        let shown = ana.run(&["key", "show", "10.9.0.2:80"]).ended(0).out;
        let line = shown.lines().find(|line| line.starts_with("openssl s_client")).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {line}")]);
        let mut client = Program::start(command);
        client.sees("Verify return code: 0 (ok)");
        client.is_told("before\n");
        client.sees("before");
        // A command of s_client: new keys, and the peer is asked for new ones, too.
        client.is_told("K\n");
        client.complains("KEYUPDATE");
        client.is_told("after\n");
        client.sees("after");
        client.finish().ended(0);
        let server = server.finish().ended(0);
        assert!(server.out.contains("c1 closed · 13 bytes in, 13 out"), "{}", server.out);
        assert_eq!(followed(&file, 80), (b"before\nafter\n".to_vec(), b"before\nafter\n".to_vec()));
        let records = records(&file, 80);
        assert_eq!(records.opened, records.protected + 2, "{records:?}");
    });
}

#[test]
fn our_tcp_talks_in_secret_to_openssl_over_the_kernel() {
    let name = "our_tcp_talks_in_secret_to_openssl_over_the_kernel";
    if !has(name, &["openssl"]) {
        return;
    }
    in_namespace("secure_tun", name, || {
        let (ana, bob) = (User::new(), User::new());
        let arguments = ["-alpn", "aperto-echo/1", "-rev", "-naccept", "1"];
        let openssl = Openssl::serves(&ana, 4_433, &arguments);
        let client =
            bob.run(&["client", "10.9.0.1", &openssl.port, "--wire", "tun", "--secure", "-m", "abc\n"]);
        let client = client.ended(0);
        assert!(client.out.contains("[RECEIVED]  4 bytes   cba"), "{}", client.out);
        assert!(client.out.contains("why:"), "{}", client.out);
    });
}
