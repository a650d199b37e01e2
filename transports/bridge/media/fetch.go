package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
)

const (
	dialTime     = 10 * time.Second
	headerTime   = 30 * time.Second
	maxRedirects = 3
)

// Content is a file that is read without HTTP.
type Content struct {
	io.ReadCloser
	Size int64
	Type string
}

// Local opens a file of this server by its address; nil where the address is of no such file.
type Local func(ctx context.Context, address string) (*Content, error)

// FetchLimits say what a Fetcher fetches.
type FetchLimits struct {
	Size    int64          // bytes of one file
	Private []netip.Prefix // networks from which files are fetched although they are not public; by http only if the URL has the IP address and not a name
	Hosts   []string       // the only ones from which files are fetched; empty: all
}

// Fetcher reads the files whose addresses messages from XMPP contain: those of this server without HTTP, others by https, from public addresses
// and those of FetchLimits.Private. Names and redirections that lead to any other address are refused.
type Fetcher struct {
	client *http.Client
	limits FetchLimits
	local  []Local
}

// NewFetcher makes a fetcher.
func NewFetcher(l FetchLimits, local ...Local) *Fetcher {
	f := &Fetcher{limits: l, local: local}
	dialer := &net.Dialer{Timeout: dialTime, Control: f.control}
	f.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: headerTime,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
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

// control is a net.Dialer's Control. It checks the address that a name was resolved to, at each connection.
func (f *Fetcher) control(network, address string, conn syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err == nil {
		for _, p := range f.limits.Private {
			if p.Contains(at.Addr().Unmap()) {
				return nil
			}
		}
	}
	return gateway.PublicOnly(network, address, conn)
}

// check refuses what is not encrypted, unless it is to an address of a private network, and hosts that are not allowed.
func (f *Fetcher) check(u *url.URL) error {
	if u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || len(f.limits.Private) == 0) {
		return gateway.ErrPrivate
	}
	if u.Scheme == "http" {
		ip, err := netip.ParseAddr(u.Hostname())
		if err != nil || gateway.Public(ip) {
			return gateway.ErrPrivate
		}
	}
	if len(f.limits.Hosts) > 0 && !slices.ContainsFunc(f.limits.Hosts, func(h string) bool { return strings.EqualFold(h, u.Hostname()) }) {
		return errHost
	}
	return nil
}

// errHost is of a host that the settings do not name.
var errHost = errors.New("nothing is fetched from this host: see media.hosts")

// ErrNotFile is of an address that stays a link: of a web page, for example.
var ErrNotFile = errors.New("there is no file at the address")

// open opens a file of this server; nil where the address is of none.
func (f *Fetcher) open(ctx context.Context, address string) (*Content, error) {
	for _, open := range f.local {
		if c, err := open(ctx, address); c != nil || err != nil {
			return c, err
		}
	}
	return nil, nil
}

// Stat implements outbox.Files.
func (f *Fetcher) Stat(ctx context.Context, address string) (size int64, mime string, err error) {
	switch c, err := f.open(ctx, address); {
	case err != nil:
		return 0, "", unreadable(err)
	case c != nil:
		return c.Size, c.Type, c.Close()
	}
	answer, err := f.ask(ctx, http.MethodHead, address)
	if err == nil && answer.ContentLength < 0 { // not every server says it for HEAD
		_ = answer.Body.Close() // there is none
		err = errStatus
	}
	if errors.Is(err, errStatus) { // or answers HEAD
		answer, err = f.ask(ctx, http.MethodGet, address)
	}
	if err != nil {
		return 0, "", unreadable(err)
	}
	defer answer.Body.Close()
	mime = answer.Header.Get("Content-Type")
	switch base, _, _ := strings.Cut(mime, ";"); {
	case strings.EqualFold(strings.TrimSpace(base), "text/html"):
		return 0, "", ErrNotFile // a link to a page, which some clients describe like a file (XEP-0066 §3)
	case answer.ContentLength < 0:
		return 0, "", transports.Refuse("not-acceptable", "its server does not say how large it is", nil)
	case answer.ContentLength > f.limits.Size:
		return 0, "", transports.Refuse("not-acceptable", "files of up to "+convert.Megabytes(f.limits.Size)+" are sent from here", nil)
	}
	return answer.ContentLength, mime, nil
}

// Open implements outbox.Files. The content is as long as it was said to be, or fails.
func (f *Fetcher) Open(ctx context.Context, address string) (io.ReadCloser, error) {
	switch c, err := f.open(ctx, address); {
	case err != nil:
		return nil, unreadable(err)
	case c != nil:
		return exactly(c, c.Size), nil
	}
	answer, err := f.ask(ctx, http.MethodGet, address)
	if err != nil {
		return nil, unreadable(err)
	}
	if answer.ContentLength < 0 || answer.ContentLength > f.limits.Size {
		_ = answer.Body.Close() // nothing of it is wanted
		return nil, unreadable(errors.New("it has another size than before"))
	}
	return exactly(answer.Body, answer.ContentLength), nil
}

// exactly is content that fails where it is shorter.
func exactly(content io.ReadCloser, size int64) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{blob.Reader(content, size), content}
}

func (f *Fetcher) ask(ctx context.Context, method, address string) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, gateway.ErrPrivate
	}
	if err := f.check(u); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	coding := answer.Header.Get("Content-Encoding")
	switch {
	case answer.StatusCode != http.StatusOK:
		err = fmt.Errorf("%w %d", errStatus, answer.StatusCode)
	case coding != "" && !strings.EqualFold(coding, "identity"): // it was not asked for, and nothing is decompressed here
		err = fmt.Errorf("content encoding %q", coding)
	default:
		return answer, nil
	}
	_ = answer.Body.Close() // nothing of it is wanted
	return nil, err
}

// errStatus is of an answer that is no success.
var errStatus = errors.New("status")

// unreadable is an error for the sender of a message with a file. What its address leads to is not told.
func unreadable(err error) error {
	switch {
	case errors.Is(err, gateway.ErrPrivate):
		return transports.Refuse("not-acceptable", "its address is not public, or not https", err)
	case errors.Is(err, errHost):
		return transports.Refuse("not-acceptable", "files of its server are not sent from here", err)
	}
	return transports.Refuse("not-acceptable", "it cannot be read at its address", err)
}

// Local opens files that this service has given addresses.
func (s *Service) Local(base string) Local {
	links := NewLinks(base, nil, 0)
	return func(ctx context.Context, address string) (*Content, error) {
		id := links.ID(address)
		if id == "" {
			return nil, nil
		}
		m, ok, err := s.Rows.Media(ctx, id)
		if err == nil && !ok {
			err = errGone
		}
		if err != nil {
			return nil, err
		}
		content, err := s.Open(ctx, m, netip.Addr{})
		if err != nil {
			return nil, err
		}
		size, err := content.Seek(0, io.SeekEnd)
		if err == nil {
			_, err = content.Seek(0, io.SeekStart)
		}
		if err != nil {
			return nil, errors.Join(err, content.Close())
		}
		return &Content{ReadCloser: content, Size: size, Type: m.Type}, nil
	}
}
