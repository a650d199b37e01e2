package puppets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
)

// Limits of reading a picture.
const (
	maxPhoto     = 64 << 10 // bytes: as base64 it has to fit into a stanza
	fetchTimeout = 10 * time.Second
	maxRedirects = 3
)

// fetcher reads pictures by their URLs, which the network has given: by https, from public addresses. origin, if not empty, is
// one more server that may be read from: scheme and host of a network that is on this machine.
type fetcher struct {
	origin string
	client *http.Client
}

func newFetcher(origin string) *fetcher {
	f := &fetcher{origin: origin}
	host := ""
	if u, err := url.Parse(origin); err == nil {
		host = u.Host
	}
	public := &net.Dialer{Timeout: fetchTimeout, Control: gateway.PublicOnly}
	local := &net.Dialer{Timeout: fetchTimeout}
	f.client = &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == host {
					return local.DialContext(ctx, network, address)
				}
				return public.DialContext(ctx, network, address)
			},
			ForceAttemptHTTP2: true, TLSHandshakeTimeout: fetchTimeout, ResponseHeaderTimeout: fetchTimeout,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return f.check(r.URL)
		},
	}
	return f
}

func (f *fetcher) check(u *url.URL) error {
	if u.User != nil || u.Scheme != "https" && (f.origin == "" || u.Scheme+"://"+u.Host != f.origin) {
		return gateway.ErrPrivate
	}
	return nil
}

// fetch reads a picture.
func (f *fetcher) fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, gateway.ErrPrivate
	}
	if err := f.check(u); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	return readPhoto(response.Body)
}

// readPhoto reads a picture that fits.
func readPhoto(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxPhoto+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxPhoto:
		return nil, fmt.Errorf("it has more than %d bytes", maxPhoto)
	case photoType(data) == "":
		return nil, errors.New("it is no picture")
	}
	return data, nil
}

// photoType is the type of a picture that clients can show, by its first bytes; "" for anything else.
func photoType(data []byte) string {
	switch t := http.DetectContentType(data); t {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return t
	}
	return ""
}
