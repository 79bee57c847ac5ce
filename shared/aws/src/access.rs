//! How AWS is reached: the region, the credentials, and the address where it is not Amazon's own.
//!
//! Written by hand because a function's environment holds all of it; `aws-config` would search
//! profiles, containers and instance metadata, and costs minutes of every build.

use std::time::Duration;

use app::config::{ConfigError, required};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};

/// DynamoDB and SQS answer within milliseconds; a call that takes this long is lost and is tried
/// again while its caller still waits.
const ATTEMPT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Access {
    pub region: String,
    /// In Lambda they live as long as the process, so nothing renews them.
    pub credentials: Credentials,
    /// Another endpoint that speaks AWS's API.
    pub endpoint: Option<String>,
}

impl Access {
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        let optional = |name| required(name).ok().filter(|value| !value.is_empty());
        Ok(Self {
            region: required("AWS_REGION")?,
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            endpoint: optional("AWS_ENDPOINT_URL"),
        })
    }

    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(timeouts());
        config.set_endpoint_url(self.endpoint.clone());
        config
    }

    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::config::Builder {
        let mut config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(timeouts());
        config.set_endpoint_url(self.endpoint.clone());
        config
    }

    /// The management API of the websockets, at the address of one stage of one gateway.
    #[must_use]
    pub fn push(&self, address: &str) -> aws_sdk_apigatewaymanagement::config::Builder {
        aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .endpoint_url(address)
    }

    /// Without the checksums that S3 does not require: a presigned upload would promise the checksum
    /// of an empty body, and other endpoints do not know the trailer they travel in.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::config::Builder {
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(self.endpoint.is_some());
        config.set_endpoint_url(self.endpoint.clone());
        config
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT)
        .build()
}
