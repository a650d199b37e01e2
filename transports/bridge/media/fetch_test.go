package media

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// loopback is where the servers of these tests are.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// remote is a server of files that counts its requests.
type remote struct {
	*httptest.Server
	asked atomic.Int64
}

func newRemote(t *testing.T, handle http.HandlerFunc) *remote {
	t.Helper()
	r := &remote{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.asked.Add(1)
		handle(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// refusedWith wants the error to be one for the sender, which tells nothing of what is at the address.
func refusedWith(t *testing.T, err error, text string) {
	t.Helper()
	var e *transports.Error
	if !errors.As(err, &e) || e.Class != transports.Refused || !strings.Contains(e.Text, text) || strings.Contains(e.Text, "secret") || strings.Contains(e.Text, "127.0.0.1") {
		t.Errorf("the error is %v, not %q", err, text)
	}
}

// TestFetchOfPrivateAddresses is about server-side request forgery: no address that is not public is connected to, however it is written.
func TestFetchOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	r := newRemote(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	port := r.URL[strings.LastIndexByte(r.URL, ':'):]
	f := NewFetcher(FetchLimits{Size: 1 << 20})
	for _, address := range []string{
		r.URL, "http://example.org/x", "https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://0.0.0.0" + port, "https://2130706433" + port,
		"https://0x7f000001" + port, "https://127.1" + port, "https://[::ffff:127.0.0.1]" + port, "https://[::ffff:7f00:1]" + port, "https://[64:ff9b::7f00:1]" + port,
		"https://10.0.0.1/x", "https://192.168.1.1/x", "https://172.16.0.1/x", "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/x", "https://[fd00::1]/x",
		"https://100.64.0.1/x", "https://224.0.0.1/x", "https://user:secret@127.0.0.1" + port, "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1" + port, "https://", "//x", "",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, _, err := f.Stat(ctx, address)
		refusedWith(t, err, "")
		_, err = f.Open(ctx, address)
		refusedWith(t, err, "")
		cancel()
	}
	if n := r.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	refusedWith(t, second(f.Stat(t.Context(), r.URL)), "not public")
}

func second(_ int64, _ string, err error) error { return err }

// TestFetchAfterResolution is about names that lead to private addresses: the address counts that is connected to, at each connection.
func TestFetchAfterResolution(t *testing.T) {
	t.Parallel()
	f := NewFetcher(FetchLimits{Size: 1 << 20})
	for address, ok := range map[string]bool{
		"127.0.0.1:443": false, "10.1.2.3:443": false, "[::1]:443": false, "[::ffff:10.0.0.1]:443": false, "169.254.169.254:80": false, "[fd12::1]:443": false,
		"[64:ff9b::a00:1]:443": false, "[2002:7f00:1::]:443": false, "0.0.0.0:443": false, "255.255.255.255:443": false, "8.8.8.8:443": true, "[2606:4700::1]:443": true, "name:443": false,
	} {
		if err := f.control("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	f = NewFetcher(FetchLimits{Size: 1 << 20, Private: loopback})
	for address, ok := range map[string]bool{"127.0.0.1:443": true, "[::ffff:127.0.0.2]:443": true, "10.1.2.3:443": false, "[::1]:443": false} {
		if err := f.control("tcp", address, nil); (err == nil) != ok {
			t.Errorf("with a private network, %s: %v", address, err)
		}
	}
}

// TestFetchRedirected is about redirections to what must not be read: to private addresses, other schemes, hosts that are not allowed, and
// round in circles.
func TestFetchRedirected(t *testing.T) {
	t.Parallel()
	inside := newRemote(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	other := strings.Replace(inside.URL, "127.0.0.1", "127.1.2.3", 1)
	to := ""
	r := newRemote(t, func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/end" {
			_, _ = io.WriteString(w, "content")
			return
		}
		http.Redirect(w, request, to, http.StatusFound)
	})
	f := NewFetcher(FetchLimits{Size: 1 << 20, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	for _, to = range []string{other, "file:///etc/passwd", "http://localhost/x", "https://10.0.0.1/x", "http://user:secret@127.0.0.1/x", r.URL + "/again"} {
		_, _, err := f.Stat(t.Context(), r.URL+"/begin")
		refusedWith(t, err, "")
	}
	if inside.asked.Load() != 0 {
		t.Error("a private address was read")
	}
	to = r.URL + "/end"
	if size, _, err := f.Stat(t.Context(), r.URL+"/begin"); err != nil || size != int64(len("content")) {
		t.Errorf("a redirection that may be followed: %d %v", size, err)
	}
	f = NewFetcher(FetchLimits{Size: 1 << 20, Private: loopback, Hosts: []string{"127.0.0.1"}})
	to = other
	_, _, err := f.Stat(t.Context(), r.URL+"/begin")
	refusedWith(t, err, "files of its server")
	_, _, err = f.Stat(t.Context(), other)
	refusedWith(t, err, "files of its server")
	if inside.asked.Load() != 0 {
		t.Error("a host that is not allowed was read")
	}
}

// TestFetchedSize is about content that is larger or shorter than it was said to be, or of no known size.
func TestFetchedSize(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("x"), 1000)
	r := newRemote(t, func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/large":
			w.Header().Set("Content-Length", "1000000000000")
		case "/endless":
			w.(http.Flusher).Flush() // chunked
			_, _ = w.Write(content)
		case "/short":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n")
			if request.Method == http.MethodGet {
				_, _ = conn.Write(content[:10])
			}
			_ = conn.Close()
		case "/grows":
			if request.Method == http.MethodHead {
				w.Header().Set("Content-Length", "10")
				return
			}
			_, _ = w.Write(content)
		case "/nohead":
			if request.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(content)
		default:
			http.NotFound(w, request)
		}
	})
	f := NewFetcher(FetchLimits{Size: 1000, Private: loopback})
	refusedWith(t, second(f.Stat(t.Context(), r.URL+"/large")), "files of up to 1000 bytes")
	refusedWith(t, second(f.Stat(t.Context(), r.URL+"/endless")), "how large it is")
	refusedWith(t, second(f.Stat(t.Context(), r.URL+"/nothing")), "cannot be read")
	for _, path := range []string{"/large", "/endless", "/nothing"} {
		_, err := f.Open(t.Context(), r.URL+path)
		refusedWith(t, err, "cannot be read")
	}
	if size, _, err := f.Stat(t.Context(), r.URL+"/nohead"); err != nil || size != 1000 {
		t.Errorf("a server that does not answer HEAD: %d %v", size, err)
	}
	read := func(path string) (int, error) {
		got, err := f.Open(t.Context(), r.URL+path)
		if err != nil {
			return 0, err
		}
		defer got.Close()
		n, err := io.Copy(io.Discard, got)
		return int(n), err
	}
	if n, err := read("/short"); err == nil {
		t.Errorf("a file that ends early: %d bytes without an error", n)
	}
	if n, err := read("/grows"); n != 1000 || err != nil { // outbox compares it with what HEAD said
		t.Errorf("%d %v", n, err)
	}
}

// TestFetchedType is about pages that a message describes like files: they stay links.
func TestFetchedType(t *testing.T) {
	t.Parallel()
	r := newRemote(t, func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", request.URL.Query().Get("type"))
		w.Header().Set("Content-Length", "3")
		_, _ = io.WriteString(w, "abc")
	})
	f := NewFetcher(FetchLimits{Size: 1000, Private: loopback})
	for typ, page := range map[string]bool{"text/html": true, "Text/HTML; charset=utf-8": true, "image/png": false, "text/plain": false} {
		_, got, err := f.Stat(t.Context(), r.URL+"/?type="+url.QueryEscape(typ))
		if errors.Is(err, ErrNotFile) != page || !page && got != typ {
			t.Errorf("%s: %q %v", typ, got, err)
		}
	}
}

// TestFetchedDecompression is about content that becomes much larger when it is decompressed: nothing is.
func TestFetchedDecompression(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRemote(t, func(w http.ResponseWriter, request *http.Request) {
		if accepted := request.Header.Get("Accept-Encoding"); strings.Contains(accepted, "gzip") {
			t.Errorf("%q is accepted", accepted)
		}
		if request.URL.Path == "/encoded" {
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Header().Set("Content-Type", "application/gzip")
		w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
		_, _ = w.Write(packed.Bytes())
	})
	f := NewFetcher(FetchLimits{Size: 1 << 20, Private: loopback})
	refusedWith(t, second(f.Stat(t.Context(), r.URL+"/encoded")), "cannot be read")
	content, err := f.Open(t.Context(), r.URL+"/file.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || !bytes.Equal(got, packed.Bytes()) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

// TestFetchEnds has a server accept a connection and answer nothing: the context ends the request, and so does it end the reading of a body
// that does not come.
func TestFetchEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := NewFetcher(FetchLimits{Size: 1 << 20, Private: loopback})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	refusedWith(t, second(f.Stat(ctx, "http://"+l.Addr().String()+"/x")), "cannot be read")

	release := make(chan struct{})
	r := newRemote(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	ctx, cancel = context.WithCancel(t.Context())
	content, err := f.Open(ctx, r.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	cancel()
	if _, err := content.Read(make([]byte, 1)); err == nil {
		t.Error("a body that does not come is read")
	}
}

// Files of this server are read without HTTP.
func TestFetchOfLocalFiles(t *testing.T) {
	t.Parallel()
	gone := errors.New("secret")
	f := NewFetcher(FetchLimits{Size: 1 << 20}, func(_ context.Context, address string) (*Content, error) {
		switch address {
		case "https://here/file":
			return &Content{ReadCloser: io.NopCloser(strings.NewReader("content")), Size: 7, Type: "text/plain"}, nil
		case "https://here/shorter":
			return &Content{ReadCloser: io.NopCloser(strings.NewReader("content")), Size: 8}, nil
		case "https://here/gone":
			return nil, gone
		}
		return nil, nil
	})
	if size, mime, err := f.Stat(t.Context(), "https://here/file"); size != 7 || mime != "text/plain" || err != nil {
		t.Errorf("%d %q %v", size, mime, err)
	}
	refusedWith(t, second(f.Stat(t.Context(), "https://here/gone")), "cannot be read")
	for address, ok := range map[string]bool{"https://here/file": true, "https://here/shorter": false} {
		content, err := f.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(content); (err == nil) != ok || ok && string(got) != "content" {
			t.Errorf("%s: %q %v", address, got, err)
		}
	}
}
