package connect

import (
	"errors"

	"go.temporal.io/sdk/converter"

	"sluice/configs"
	"sluice/temporalpath/claimcheck"
)

// ClaimCheck opens the store of large payloads; nil if it is off. It uses neither the
// network nor the disk yet.
func ClaimCheck(c configs.ClaimCheck, lookup func(string) (string, bool)) (*claimcheck.Check, error) {
	var driver converter.StorageDriver
	var err error
	switch c.Store {
	case "directory":
		if err := Directory(c.Directory); err != nil {
			return nil, configs.At("temporal.claim_check.directory", err)
		}
		permissions := claimcheck.ForOwner()
		if c.SharedBy == "group" {
			permissions = claimcheck.ForGroup()
		}
		driver, err = claimcheck.Directory(c.Directory, permissions)
	case "s3":
		access, _ := lookup("AWS_ACCESS_KEY_ID")
		secret, _ := lookup("AWS_SECRET_ACCESS_KEY")
		driver, err = claimcheck.S3(claimcheck.Bucket{
			Name: c.S3.Bucket, Region: c.S3.Region, Endpoint: c.S3.Endpoint, AccessKey: access, SecretKey: secret,
		})
		if err != nil {
			err = configs.At("temporal.claim_check.s3", errors.Join(err, errors.New("the keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")))
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return claimcheck.New(driver, c.Threshold)
}
