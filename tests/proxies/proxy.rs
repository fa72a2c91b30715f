//! nginx and Caddy as ordinary processes, each with a folder and a port of its own.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tempfile::TempDir;

use crate::{
    common::until,
    document::{blocks, replace},
    visitor,
};

/// The two that the document configures.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Nginx,
    Caddy,
}

/// A proxy in front of one server, until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    /// Trusts the certificate of this proxy. `None` for one that speaks plain http.
    pub tls: Option<Arc<ClientConfig>>,
    child: Child,
    folder: TempDir,
}

impl Proxy {
    /// With the lines of the document. Only its addresses, ports and paths are replaced.
    pub async fn documented(kind: Kind, server: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let (mut command, certificate) = match kind {
            Kind::Nginx => {
                let certificate = make_certificate(folder.path(), address);
                let lines = nginx_lines(folder.path(), address, server);
                (nginx(folder.path(), &lines), certificate)
            }
            Kind::Caddy => caddy(folder.path(), address, server),
        };
        let child = start(&mut command, folder.path());
        let mut proxy = Self { address, tls: None, child, folder };
        until("the proxy to have its certificate", || {
            proxy.tls = trust(&certificate);
            std::future::ready(proxy.tls.is_some())
        })
        .await;
        proxy.wait_until_it_serves().await;
        proxy
    }

    /// nginx with `proxy_pass` alone, as a first try has it.
    pub async fn plain_nginx(server: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let lines =
            format!("server {{ listen {address}; location / {{ proxy_pass http://{server}; }} }}");
        let child = start(&mut nginx(folder.path(), &lines), folder.path());
        let mut proxy = Self { address, tls: None, child, folder };
        proxy.wait_until_it_serves().await;
        proxy
    }

    async fn wait_until_it_serves(&mut self) {
        let (address, tls) = (self.address, self.tls.clone());
        until("the proxy to serve", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
                panic!("the proxy ended with {status}:\n{said}");
            }
            let tls = tls.clone();
            async move { visitor::connect(Ipv4Addr::LOCALHOST, address, tls).await.is_ok() }
        })
        .await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn start(command: &mut Command, folder: &Path) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// An address of this machine that nothing else listens on or connects from, unlike a port that was free just now.
fn free_address() -> SocketAddr {
    let [a, b] = rand::random();
    SocketAddr::from(([127, 99, a, b], 8443))
}

fn program(variable: &str) -> PathBuf {
    let named = std::env::var_os(variable);
    named
        .unwrap_or_else(|| panic!("{variable} is not set: `make test` finds or installs it"))
        .into()
}

/// A certificate for this address in the folder, and its key.
fn make_certificate(folder: &Path, address: SocketAddr) -> PathBuf {
    let options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=nginx \
                   -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out certificate.pem -addext";
    let mut openssl = Command::new("openssl");
    openssl.args(options.split_whitespace()).arg(format!("subjectAltName=IP:{}", address.ip()));
    let made = openssl.current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    folder.join("certificate.pem")
}

/// `None` until the whole certificate is in its file.
fn trust(certificate: &Path) -> Option<Arc<ClientConfig>> {
    huechat::choose_tls();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).ok()?).ok()?;
    Some(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn nginx_lines(folder: &Path, address: SocketAddr, server: SocketAddr) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let lines = blocks("nginx").join("\n");
    let lines = replace(&lines, "listen 443 ssl", &format!("listen {address} ssl"));
    let lines = replace(
        &lines,
        "/etc/letsencrypt/live/chat.example/fullchain.pem",
        &path("certificate.pem"),
    );
    let lines = replace(&lines, "/etc/letsencrypt/live/chat.example/privkey.pem", &path("key.pem"));
    replace(&lines, "127.0.0.1:8005", &server.to_string())
}

/// One process with these lines at the level of `http`, which writes into the folder only.
fn nginx(folder: &Path, lines: &str) -> Command {
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = kinds.map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()));
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{paths}{lines}\n}}\n",
        folder = folder.display(),
        paths = paths.concat(),
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let mut command = Command::new(program("HUECHAT_TEST_NGINX"));
    command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(file);
    command
}

/// Caddy, and the certificate of the authority that it founds for this machine.
fn caddy(folder: &Path, address: SocketAddr, server: SocketAddr) -> (Command, PathBuf) {
    let lines = blocks("caddyfile").join("\n");
    let lines = replace(&lines, "chat.example {", &format!("https://{address} {{"));
    let lines = replace(&lines, "127.0.0.1:8005", &server.to_string());
    // Without these, it would listen on every address and on port 80, and would add its authority to the system's.
    let options = format!(
        "{{\nadmin off\nskip_install_trust\nauto_https disable_redirects\ndefault_bind {}\n}}\n",
        address.ip()
    );
    let file = folder.join("Caddyfile");
    std::fs::write(&file, format!("{options}{lines}")).unwrap();
    let mut command = Command::new(program("HUECHAT_TEST_CADDY"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    (command, folder.join("caddy/pki/authorities/local/root.crt"))
}
