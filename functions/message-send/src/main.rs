#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queues(message_send::chunk, message_send::chat).await
}
