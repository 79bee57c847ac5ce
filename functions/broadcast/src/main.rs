#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(broadcast::handle).await
}
