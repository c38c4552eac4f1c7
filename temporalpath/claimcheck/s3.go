package claimcheck

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.temporal.io/sdk/contrib/aws/s3driver"
	"go.temporal.io/sdk/contrib/aws/s3driver/awssdkv2"
	"go.temporal.io/sdk/converter"
)

// Bucket names an S3-compatible store.
type Bucket struct {
	Name   string
	Region string
	// Endpoint is the store's URL; empty for AWS itself.
	Endpoint string
	// AccessKey and SecretKey authenticate; both are needed.
	AccessKey, SecretKey string
}

// S3 returns the driver that keeps payloads in the bucket, which must exist.
func S3(b Bucket) (converter.StorageDriver, error) {
	if b.Name == "" || b.Region == "" || b.AccessKey == "" || b.SecretKey == "" {
		return nil, errors.New("claim check: s3 needs a bucket, a region, an access key and a secret key")
	}
	options := s3.Options{
		Region: b.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: b.AccessKey, SecretAccessKey: b.SecretKey, Source: "sluice configuration"}, nil
		}),
	}
	if b.Endpoint != "" {
		options.BaseEndpoint = aws.String(b.Endpoint)
		options.UsePathStyle = true
	}
	driver, err := s3driver.NewDriver(s3driver.Options{
		Client: awssdkv2.NewClient(s3.New(options)),
		Bucket: s3driver.StaticBucket(b.Name),
	})
	if err != nil {
		return nil, fmt.Errorf("claim check: %w", err)
	}
	return driver, nil
}
