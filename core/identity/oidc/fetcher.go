package oidc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
)

const (
	maxDocument  = 1 << 20
	maxAnswer    = 64 << 10 // to a question about a token
	maxAddresses = 8
	fetchEvery   = 10 * time.Second
)

// fetcher is the http.RoundTripper by which the library reads metadata and keys. It limits the size of documents and how often
// one is read: until then the last answer is given again, also if it was an error. Only questions about tokens, which are POST requests, are
// asked each time.
type fetcher struct {
	next   *http.Transport
	now    func() time.Time
	closed context.Context
	close  context.CancelFunc
	open   sync.WaitGroup

	mu   sync.Mutex
	last map[string]fetched // by address
}

type fetched struct {
	at   time.Time
	body []byte
	err  error
}

func newFetcher(next *http.Transport) *fetcher {
	f := &fetcher{next: next, now: time.Now, last: map[string]fetched{}}
	f.closed, f.close = context.WithCancel(context.Background())
	return f
}

// RoundTrip implements http.RoundTripper.
func (f *fetcher) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	f.mu.Lock()
	if f.closed.Err() != nil {
		f.mu.Unlock()
		return nil, f.closed.Err()
	}
	f.open.Add(1)
	defer f.open.Done()
	last, ok := f.last[address]
	f.mu.Unlock()
	if r.Method == http.MethodPost {
		last.body, last.err = f.fetch(r, maxAnswer)
	} else if !ok || f.now().Sub(last.at) >= fetchEvery {
		last.body, last.err = f.fetch(r, maxDocument)
		last.at = f.now()
		f.mu.Lock()
		if len(f.last) >= maxAddresses {
			clear(f.last)
		}
		f.last[address] = last
		f.mu.Unlock()
	}
	if last.err != nil {
		return nil, last.err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(last.body)), ContentLength: int64(len(last.body)),
	}, nil
}

func (f *fetcher) fetch(r *http.Request, limit int64) ([]byte, error) {
	if err := config.CheckBaseURL(r.URL.String()); err != nil { // the metadata names addresses too
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(f.closed, cancel)()
	response, err := f.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized && r.Method == http.MethodPost { // RFC 7662 §2.3
		return nil, errors.New("the provider does not accept client_id and client_secret")
	}
	if response.StatusCode != http.StatusOK { // a redirection too
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("a document of more than %d bytes", limit)
	}
	return body, err
}

// stop ends what is being read and waits for it.
func (f *fetcher) stop() {
	f.mu.Lock()
	f.close()
	f.mu.Unlock()
	f.open.Wait()
	f.next.CloseIdleConnections()
}
