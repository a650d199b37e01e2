package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/dragoman-im/dragoman/core/blob"
)

// signedFor is how long a signed address is good.
const signedFor = 10 * time.Minute

// Options say where the bucket is.
type Options struct {
	URL                         string // of the storage
	Public                      string // its address for clients; empty: URL
	Region, Bucket, Key, Secret string
}

// Bucket is a bucket.
type Bucket struct {
	client *minio.Client
	public *minio.Client // signs addresses for clients; no requests are made with it
	name   string
}

// Open returns a bucket, without a request to it.
func Open(o Options) (*Bucket, error) {
	client, err := newClient(o, o.URL)
	if err != nil {
		return nil, err
	}
	public := client
	if o.Public != "" {
		if public, err = newClient(o, o.Public); err != nil {
			return nil, err
		}
	}
	return &Bucket{client, public, o.Bucket}, nil
}

func newClient(o Options, address string) (*minio.Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of the storage: %w", err)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.Key, o.Secret, ""), Secure: u.Scheme == "https", Region: o.Region,
		MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	return client, nil
}

// Room returns nil: a storage says at the write that it is full.
func (b *Bucket) Room(int64) error { return nil }

// Create stores a file.
func (b *Bucket) Create(ctx context.Context, id string, size int64, content io.Reader) error {
	if err := blob.CheckID(id); err != nil {
		return err
	}
	source := &source{content: blob.Reader(content, size)}
	_, err := b.client.PutObject(ctx, b.name, id, source, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: true,
	})
	if broken := source.end(); broken != nil {
		return broken
	}
	return explain(err)
}

// source remembers the error of the content, which the client of the storage reports as one of the network. It may be read by another
// goroutine for a while after the storage has answered.
type source struct {
	content io.Reader

	mu    sync.Mutex
	err   error
	ended bool
}

func (s *source) Read(b []byte) (int, error) {
	if s.isEnded() {
		return 0, io.ErrClosedPipe
	}
	n, err := s.content.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = err
	}
	return n, err
}

func (s *source) isEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end ends the reading and returns the error of the content until now.
func (s *source) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.err
}

// Open opens a file. What is read is requested in the ranges in which it is read.
func (b *Bucket) Open(ctx context.Context, id string) (io.ReadSeekCloser, error) {
	if err := blob.CheckID(id); err != nil {
		return nil, err
	}
	object, err := b.client.GetObject(ctx, b.name, id, minio.GetObjectOptions{})
	if err != nil {
		return nil, explain(err)
	}
	if _, err := object.Stat(); err != nil {
		return nil, errors.Join(explain(err), object.Close())
	}
	return object, nil
}

// Delete deletes a file, if it exists.
func (b *Bucket) Delete(ctx context.Context, id string) error {
	if err := blob.CheckID(id); err != nil {
		return err
	}
	err := explain(b.client.RemoveObject(ctx, b.name, id, minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// URL returns a signed address of a file, which is good for a short time, and makes the storage answer with these headers.
func (b *Bucket) URL(ctx context.Context, id string, header http.Header) (string, error) {
	if err := blob.CheckID(id); err != nil {
		return "", err
	}
	override := url.Values{}
	for name, parameter := range map[string]string{
		"Content-Type": "response-content-type", "Content-Disposition": "response-content-disposition", "Cache-Control": "response-cache-control",
	} {
		if v := header.Get(name); v != "" {
			override.Set(parameter, v)
		}
	}
	u, err := b.public.PresignedGetObject(ctx, b.name, id, signedFor, override)
	if err != nil {
		return "", explain(err)
	}
	return u.String(), nil
}

// explain returns an error of the storage in the terms of package blob.
func explain(err error) error {
	if err == nil {
		return nil
	}
	switch answer := minio.ToErrorResponse(err); {
	case answer.Code == "NoSuchKey" || answer.StatusCode == http.StatusNotFound && answer.Code != "NoSuchBucket":
		return fmt.Errorf("file in the storage: %w", fs.ErrNotExist)
	case answer.StatusCode == http.StatusInsufficientStorage || answer.Code == "QuotaExceeded" || answer.Code == "XMinioStorageFull":
		return &blob.Full{Cause: err}
	}
	return fmt.Errorf("storage: %w", err)
}
