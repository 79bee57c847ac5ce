//! The files on S3, in one private bucket.

use std::io;
use std::time::Duration;

use app::Error;
use app::ports::{Files, Presigned, Served};
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};

#[cfg(test)]
mod tests;

#[derive(Debug, Clone)]
pub struct S3Files {
    client: Client,
    bucket: String,
}

impl S3Files {
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }
}

impl Files for S3Files {
    fn presign_put(
        &self,
        key: &str,
        size: u64,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>> {
        // The length is part of the signature: S3 refuses a body of any other size.
        let request = i64::try_from(size).map(|size| {
            self.client
                .put_object()
                .bucket(&self.bucket)
                .key(key)
                .content_length(size)
        });
        Box::pin(async move {
            let request = request.map_err(not_signed)?;
            let expires = PresigningConfig::expires_in(expires).map_err(not_signed)?;
            let request = request.presigned(expires).await.map_err(not_signed)?;
            Ok(presigned(&request))
        })
    }

    fn presign_get(
        &self,
        key: &str,
        served: Served<'_>,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(served.content_type())
            .response_content_disposition(served.disposition());
        Box::pin(async move {
            let expires = PresigningConfig::expires_in(expires).map_err(not_signed)?;
            let request = request.presigned(expires).await.map_err(not_signed)?;
            Ok(presigned(&request))
        })
    }

    fn size(&self, key: &str) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        Box::pin(async move {
            match request.send().await {
                Ok(head) => Ok(head
                    .content_length
                    .and_then(|size| u64::try_from(size).ok())),
                Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => {
                    Ok(None)
                }
                Err(error) => Err(Error::unavailable("a file cannot be looked up", error)),
            }
        })
    }

    fn open(
        &self,
        key: &str,
        offset: u64,
    ) -> BoxFuture<'_, Result<BoxStream<'static, io::Result<Bytes>>, Error>> {
        let mut request = self.client.get_object().bucket(&self.bucket).key(key);
        if offset > 0 {
            request = request.range(format!("bytes={offset}-"));
        }
        Box::pin(async move {
            match request.send().await {
                Ok(file) => Ok(chunks(file.body)),
                // A reader that has read everything asks for the bytes from the end on.
                Err(error)
                    if error
                        .raw_response()
                        .is_some_and(|r| r.status().as_u16() == 416) =>
                {
                    Ok(stream::empty().boxed())
                }
                Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => {
                    Err(Error::not_found("the file"))
                }
                Err(error) => Err(Error::unavailable("a file cannot be read", error)),
            }
        })
    }

    fn put(&self, key: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(bytes));
        Box::pin(async move {
            request
                .send()
                .await
                .map(|_| ())
                .map_err(|error| Error::unavailable("a file cannot be stored", error))
        })
    }

    fn delete(&self, key: &str) -> BoxFuture<'_, Result<(), Error>> {
        // S3 answers alike whether the file was there or not.
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        Box::pin(async move {
            request
                .send()
                .await
                .map(|_| ())
                .map_err(|error| Error::unavailable("a file cannot be deleted", error))
        })
    }
}

fn presigned(request: &PresignedRequest) -> Presigned {
    Presigned {
        url: request.uri().to_owned(),
        headers: request
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn not_signed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("an address for a file cannot be signed", error)
}

fn chunks(body: ByteStream) -> BoxStream<'static, io::Result<Bytes>> {
    stream::try_unfold(body, async |mut body: ByteStream| {
        let next = body.try_next().await.map_err(io::Error::other)?;
        Ok(next.map(|bytes| (bytes, body)))
    })
    .boxed()
}
