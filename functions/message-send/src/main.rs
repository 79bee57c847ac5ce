#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(message_send::handle).await
}
