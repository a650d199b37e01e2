package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/dragoman-im/dragoman/core/blob"
)

// checkTime limits the requests of CheckSigned.
const checkTime = 30 * time.Second

// checkID is the id of the object that CheckSigned tries to store.
const checkID = "0000000000000000check"

// PutURL returns an address at which a client can store a file for some time. The size and the media type are headers that the client has to
// send as they were signed.
func (b *Bucket) PutURL(ctx context.Context, id string, size int64, typ string, good time.Duration) (string, error) {
	return b.putURL(ctx, b.public, id, header(size, typ), good)
}

func header(size int64, typ string) http.Header {
	h := http.Header{"Content-Length": {strconv.FormatInt(size, 10)}}
	if typ != "" {
		h.Set("Content-Type", typ)
	}
	return h
}

func (b *Bucket) putURL(ctx context.Context, client *minio.Client, id string, signed http.Header, good time.Duration) (string, error) {
	if err := blob.CheckID(id); err != nil {
		return "", err
	}
	u, err := client.PresignHeader(ctx, http.MethodPut, b.name, id, good, nil, signed)
	if err != nil {
		return "", explain(err)
	}
	return u.String(), nil
}

// Stat returns the size of a file and the media type with which it was sent.
func (b *Bucket) Stat(ctx context.Context, id string) (size int64, typ string, err error) {
	if err := blob.CheckID(id); err != nil {
		return 0, "", err
	}
	o, err := b.client.StatObject(ctx, b.name, id, minio.StatObjectOptions{})
	if err != nil {
		return 0, "", explain(err)
	}
	return o.Size, o.ContentType, nil
}

// List calls f for each file and when it was stored, until f returns an error.
func (b *Bucket) List(ctx context.Context, f func(id string, stored time.Time) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{}) {
		if o.Err != nil {
			return explain(o.Err)
		}
		if blob.CheckID(o.Key) != nil {
			continue // it is no file of ours
		}
		if err := f(o.Key, o.LastModified); err != nil {
			return err
		}
	}
	return nil
}

// CheckSigned returns blob.ErrUnenforced if the storage takes files of another size than their address is signed for. It sends a byte more
// than was signed, which has to be refused, and then as much as was signed, which has to be accepted.
func (b *Bucket) CheckSigned(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	address, err := b.putURL(ctx, b.client, checkID, header(1, ""), time.Minute)
	if err != nil {
		return err
	}
	more, err := send(ctx, address, "xx")
	if err != nil {
		return err
	}
	if more/100 == 2 {
		return errors.Join(blob.ErrUnenforced, b.Delete(ctx, checkID))
	}
	if same, err := send(ctx, address, "x"); err != nil {
		return err
	} else if same/100 != 2 {
		return fmt.Errorf("the storage answers a signed upload with status %d", same)
	}
	return b.Delete(ctx, checkID)
}

// send uploads a text and returns the status.
func send(ctx context.Context, address, text string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, address, strings.NewReader(text))
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // for the next request on the connection
	return answer.StatusCode, answer.Body.Close()
}
