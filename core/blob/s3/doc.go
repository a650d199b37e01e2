// Package s3 stores files in a bucket of an S3-compatible storage, as package blob does in a directory. Content is streamed in one request,
// without a copy in memory; an object is there when that request has succeeded.
//
// Whether the storage can be reached is not known before it is used: nothing is asked at the start, and errors are those of each request.
// There is no goroutine and no lock of this package.
package s3
