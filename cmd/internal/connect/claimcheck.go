package connect

import (
	"errors"

	"sluice/configs"
	"sluice/temporalpath/claimcheck"
)

// ClaimCheck opens the store of large payloads; nil if it is off.
func ClaimCheck(c configs.ClaimCheck, lookup func(string) (string, bool)) (*claimcheck.Check, error) {
	switch c.Store {
	case "directory":
		driver, err := claimcheck.Directory(c.Directory)
		if err != nil {
			return nil, err
		}
		return claimcheck.New(driver, c.Threshold)
	case "s3":
		access, _ := lookup("AWS_ACCESS_KEY_ID")
		secret, _ := lookup("AWS_SECRET_ACCESS_KEY")
		driver, err := claimcheck.S3(claimcheck.Bucket{
			Name: c.S3.Bucket, Region: c.S3.Region, Endpoint: c.S3.Endpoint, AccessKey: access, SecretKey: secret,
		})
		if err != nil {
			return nil, errors.Join(err, errors.New("the keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
		}
		return claimcheck.New(driver, c.Threshold)
	}
	return nil, nil
}
