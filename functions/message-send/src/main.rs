#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queues(message_send::campaign, message_send::chat).await
}
