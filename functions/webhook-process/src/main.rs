#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(webhook_process::handle).await
}
