//! A TCP proxy in front of a server, for tests of what happens when the server is away or silent.

use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

/// A port of its own that leads to a server. It refuses connections until it is opened.
pub struct Proxy {
    pub port: u16,
    /// The server's URL with this port in it.
    pub url: String,
    target: (String, u16),
    /// What silences the connections of now, and those of later.
    silent: Arc<Mutex<CancellationToken>>,
    forwarding: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A closed one.
    pub async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        url.set_port(Some(port)).unwrap();
        Self { port, url: url.into(), target, silent: Arc::default(), forwarding: None }
    }

    /// Forwards connections from now on.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.expect("the port is still free");
        let (target, silent) = (self.target.clone(), self.silent.clone());
        self.forwarding = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let silent = silent.lock().unwrap().clone();
                connections.spawn(forward(client, target.clone(), silent));
            }
        }));
    }

    /// Cuts all connections and refuses new ones.
    pub async fn close(&mut self) {
        let forwarding = self.forwarding.take().expect("it is open");
        forwarding.abort();
        assert!(forwarding.await.is_err_and(|error| error.is_cancelled()));
    }

    /// Leaves connections open, also new ones, and passes nothing on any more.
    pub fn fall_silent(&self) {
        self.silent.lock().unwrap().cancel();
    }

    /// Leaves the connections of now open and passes nothing on through them any more, as after a
    /// fail-over without a reset. New ones work.
    pub fn fail_over(&self) {
        std::mem::take(&mut *self.silent.lock().unwrap()).cancel();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(forwarding) = &self.forwarding {
            forwarding.abort();
        }
    }
}

async fn forward(mut client: TcpStream, target: (String, u16), silent: CancellationToken) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        // Holds both ends open until the proxy is dropped.
        () = silent.cancelled() => std::future::pending::<()>().await,
    }
}
