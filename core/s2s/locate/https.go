package locate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Limits of documents.
const (
	maxDocumentSize = 64 << 10 // bytes
	maxRedirects    = 3
	minDocumentKept = time.Minute // whatever the document says
	maxDocumentKept = 24 * time.Hour
	unpublishedKept = time.Hour        // how long it is remembered that a document is not published
	unreachableKept = 10 * time.Minute // how long it is remembered that a web server cannot be reached
)

// errUnpublished says that the domain has a web server, but not this document.
var errUnpublished = errors.New("the document is not published")

// newHTTPClient returns a client for documents: only HTTPS, and only to addresses that may be connected to.
func (l *Locator) newHTTPClient() *http.Client {
	return &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			DialContext:            l.dialWeb,
			TLSClientConfig:        &tls.Config{RootCAs: l.options.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    fetchTimeout,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || r.URL.Scheme != "https" || r.URL.User != nil {
				return errors.New("the redirect is not followed")
			}
			return nil
		},
	}
}

// dialWeb connects to a web server by the addresses that allowed accepts.
func (l *Locator) dialWeb(ctx context.Context, _, address string) (net.Conn, error) {
	name, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("port %q cannot be connected to", text)
	}
	h := host{name: name, port: uint16(port)}
	if ip, err := netip.ParseAddr(name); err == nil {
		h = host{ips: []netip.Addr{ip}, port: uint16(port)}
	}
	found, err := l.connect(ctx, []host{h})
	return found.conn, err
}

// wellKnown is the address of a document of a domain.
func (l *Locator) wellKnown(domain, path string) string {
	if ip, err := netip.ParseAddr(domain); err == nil && ip.Is6() {
		domain = "[" + domain + "]"
	}
	if l.options.web != 443 {
		domain = fmt.Sprintf("%s:%d", domain, l.options.web)
	}
	return "https://" + domain + "/.well-known/" + path
}

// fetch reads a JSON document.
func (l *Locator) fetch(ctx context.Context, address string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if r.URL.Scheme != "https" || r.URL.User != nil || r.URL.Host == "" { // RFC 7711 §3, XEP-0487 §2
		return errors.New("only https addresses are fetched")
	}
	r.Header.Set("Accept", "application/json")
	answer, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errUnpublished, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxDocumentSize+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxDocumentSize:
		return errors.New("the document is too large")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	return nil
}

// missingKept is how long it is remembered that a document could not be fetched.
func missingKept(err error) time.Duration {
	if errors.Is(err, errUnpublished) {
		return unpublishedKept
	}
	return unreachableKept
}

// documentKept is how long a document is kept, from what it says itself.
func documentKept(seconds int64) time.Duration {
	return min(max(time.Duration(min(seconds, int64(maxDocumentKept/time.Second)))*time.Second, minDocumentKept), maxDocumentKept)
}
