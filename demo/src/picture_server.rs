//! A web server for the pictures of the sample posts, which were drawn for the demo.

use anyhow::Context;
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// `python3 -m training.pictures.scenes.demo_pictures` draws them.
const PICTURES: [(&str, &[u8]); 6] = [
    ("door.jpg", include_bytes!("../data/pictures/door.jpg")),
    ("page.jpg", include_bytes!("../data/pictures/page.jpg")),
    ("rack.jpg", include_bytes!("../data/pictures/rack.jpg")),
    ("shoes.jpg", include_bytes!("../data/pictures/shoes.jpg")),
    ("stickers.jpg", include_bytes!("../data/pictures/stickers.jpg")),
    ("whiteboard.jpg", include_bytes!("../data/pictures/whiteboard.jpg")),
];

/// A web server on the loopback address, until it is dropped.
pub(crate) struct PictureServer {
    address: String,
    task: JoinHandle<std::io::Result<()>>,
}

impl PictureServer {
    /// Starts it on a port that is free.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("The demo's pictures can't be served")?;
        let address = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/{name}", get(picture));
        let task = tokio::spawn(axum::serve(listener, routes).into_future());
        Ok(Self { address, task })
    }

    /// The URL in front of a picture's name.
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }
}

impl Drop for PictureServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn picture(Path(name): Path<String>) -> Response {
    match PICTURES.iter().find(|(known, _)| *known == name) {
        Some((_, bytes)) => ([(header::CONTENT_TYPE, "image/jpeg")], *bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
