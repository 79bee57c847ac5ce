#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::websocket(realtime::handle).await
}
