package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// running is a server with its addresses.
type running struct {
	*Server
	plain, tls string
}

// serve starts a server with routes; it has a certificate for localhost.
func serve(t *testing.T, o Options, routes ...Route) *running {
	t.Helper()
	certificate, err := socket.NewSelfSignedCertificate(filepath.Join(t.TempDir(), "c.pem"), []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	o.Log, o.Certificates = slog.New(slog.DiscardHandler), certificate.Certificate
	s := &running{Server: New(o)}
	for _, r := range routes {
		s.Handle(r)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for _, l := range []struct {
		serve   func(context.Context, net.Listener) error
		address *string
	}{{s.Serve, &s.plain}, {s.ServeTLS, &s.tls}} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*l.address = listener.Addr().String()
		go func() { done <- l.serve(ctx, listener) }()
	}
	t.Cleanup(func() {
		end()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		over, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s.Shutdown(over)
	})
	return s
}

// client makes requests on connections of its own.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func echo(pattern string) Route {
	return Route{Pattern: pattern, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %d", Client(r), r.Proto, len(b))
	})}
}

func get(t *testing.T, c *http.Client, url string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	if answer.Header.Get("X-Content-Type-Options") != "nosniff" && answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error("no nosniff")
	}
	return answer.StatusCode, string(b)
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{}, echo("GET /a"))
	for url, want := range map[string]string{
		"http://" + s.plain + "/a": "127.0.0.1 HTTP/1.1 0", "https://" + s.tls + "/a": "127.0.0.1 HTTP/1.1 0",
	} {
		if status, got := get(t, client(t), url); status != 200 || got != want {
			t.Errorf("%s: %d %q", url, status, got)
		}
	}
	for path, want := range map[string]int{"/b": 404, "/a/../../etc/passwd": 404, "/%2e%2e/etc/passwd": 404, "/a/": 404} {
		if status, _ := get(t, client(t), "http://"+s.plain+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// A body that is too long is cut off, and so is a header.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{}, echo("POST /a"))
	for size, want := range map[int]int{bodyBytes: 200, bodyBytes + 1: 413} {
		answer, err := client(t).Post("http://"+s.plain+"/a", "text/plain", bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", size, answer.StatusCode, want)
		}
	}
	if status, _ := get(t, client(t), "http://"+s.plain+"/a", "X-Long", strings.Repeat("x", 64<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %d", status)
	}
}

// The client's address is what the trusted proxies say, and nothing that the client itself says.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	direct, behind := serve(t, Options{}, echo("GET /a")), serve(t, Options{Proxies: trusted}, echo("GET /a"))
	for _, c := range []struct {
		s         *running
		forwarded []string
		want      string
	}{
		{direct, []string{"192.0.2.1"}, "127.0.0.1"},
		{behind, nil, "127.0.0.1"},
		{behind, []string{"192.0.2.1"}, "192.0.2.1"},
		{behind, []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		{behind, []string{"198.51.100.7, 192.0.2.1, 10.1.1.1"}, "192.0.2.1"},
		{behind, []string{"198.51.100.7", "192.0.2.1", "10.1.1.1"}, "192.0.2.1"},
		{behind, []string{"192.0.2.1, nonsense"}, "127.0.0.1"},
		{behind, []string{"nonsense, 10.1.1.1"}, "10.1.1.1"},
		{behind, []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{behind, []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		var header []string
		for _, f := range c.forwarded {
			header = append(header, "X-Forwarded-For", f)
		}
		if _, got := get(t, client(t), "http://"+c.s.plain+"/a", header...); !strings.HasPrefix(got, c.want+" ") {
			t.Errorf("%q: %s, want %s", c.forwarded, got, c.want)
		}
	}
}

// Connections of one address are limited; idle ones end in favour of new ones, and those that are known do not.
func TestConnections(t *testing.T) {
	t.Parallel()
	known := Route{Pattern: "GET /known", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { Known(r) })}
	s := serve(t, Options{Limits: Limits{Connections: 2}}, echo("GET /a"), known)
	idle, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	var kept []*http.Client
	for range 2 {
		c := client(t)
		if status, _ := get(t, c, "http://"+s.plain+"/known"); status != 200 {
			t.Error(status)
		}
		kept = append(kept, c)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection goes on")
	}
	if answer, err := client(t).Get("http://" + s.plain + "/a"); err == nil {
		answer.Body.Close()
		t.Error("a third connection was accepted")
	}
	for _, c := range kept {
		if status, _ := get(t, c, "http://"+s.plain+"/a"); status != 200 {
			t.Error(status)
		}
	}
	if s.Counters.TooMany.Load() == 0 || s.Counters.Displaced.Load() == 0 {
		t.Error("not counted")
	}
}

// Requests that come through a proxy are limited by the client's address.
func TestProxiedRequests(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan bool), make(chan bool)
	wait := Route{Pattern: "GET /wait", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside <- true; <-leave })}
	s := serve(t, Options{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Limits: Limits{Connections: 1}}, echo("GET /a"), wait)
	done := make(chan int)
	go func() {
		status, _ := get(t, client(t), "http://"+s.plain+"/wait", "X-Forwarded-For", "192.0.2.1")
		done <- status
	}()
	<-inside
	for from, want := range map[string]int{"192.0.2.1": 429, "192.0.2.2": 200} {
		if status, _ := get(t, client(t), "http://"+s.plain+"/a", "X-Forwarded-For", from); status != want {
			t.Errorf("%s: %d, want %d", from, status, want)
		}
	}
	leave <- true
	if status := <-done; status != 200 {
		t.Error(status)
	}
	if status, _ := get(t, client(t), "http://"+s.plain+"/a", "X-Forwarded-For", "192.0.2.1"); status != 200 {
		t.Error(status)
	}
}

// A handler that panics ends its connection only.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{}, echo("GET /a"), Route{Pattern: "GET /panic", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") })})
	if answer, err := client(t).Get("http://" + s.plain + "/panic"); err == nil {
		answer.Body.Close()
		t.Error("it was answered")
	}
	if status, _ := get(t, client(t), "http://"+s.plain+"/a"); status != 200 || s.Counters.Panics.Load() != 1 {
		t.Error(status, s.Counters.Panics.Load())
	}
}

// Slow uploads: a peer that sends, or takes, less than the pace is cut off; one that is slow but faster is not.
func TestSlowPeers(t *testing.T) {
	t.Parallel()
	outcome := make(chan error, 1)
	put := Route{Pattern: "PUT /a", Streams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, stop := Body(r.Context(), w, r)
		_, err := io.Copy(io.Discard, body)
		stop()
		outcome <- err
	})}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	take := Route{Pattern: "GET /a", Streams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(large)
		if err == nil {
			_, err = io.Copy(Writer(w, r), f)
			_ = f.Close()
		}
		outcome <- err
	})}
	s := serve(t, Options{Pace: 300 * time.Millisecond}, put, take)
	for _, request := range []string{"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"} {
		nc, err := net.Dial("tcp", s.plain)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(nc, request); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-outcome:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%.5q ended with %v", request, err)
			}
		case <-time.After(patience):
			t.Errorf("%.5q goes on", request)
		}
		_ = nc.Close()
	}
	usual := serve(t, Options{}, take)
	for _, base := range []string{"http://" + usual.plain, "https://" + usual.tls} {
		answer, err := client(t).Get(base + "/a")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if e := <-outcome; n != 64<<20 || err != nil || e != nil {
			t.Errorf("%s: %d bytes, %v, %v", base, n, err, e)
		}
	}
}

// pipes is a listener of one connection in memory.
type pipes struct{ accepted chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	nc, ok := <-p.accepted
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A body that no handler reads and that does not come ends the connection.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	for _, request := range []string{"PUT /nowhere", "GET /a"} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Log: slog.New(slog.DiscardHandler)})
			s.Handle(Route{Pattern: "GET /a", Streams: true, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
			ours, theirs := net.Pipe()
			l := &pipes{make(chan net.Conn, 1)}
			l.accepted <- theirs
			done := make(chan error, 1)
			go func() { done <- s.http.Serve(l) }()
			if _, err := io.WriteString(ours, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if err := ours.SetReadDeadline(time.Now().Add(2 * requestTime)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, ours); err != nil {
				t.Errorf("%s: the connection goes on: %v", request, err)
			}
			_ = ours.Close()
			close(l.accepted)
			if err := <-done; err == nil {
				t.Error("it serves on")
			}
			s.Shutdown(t.Context())
		})
	}
}

// What reads a body can be ended from elsewhere, and the connection serves further requests where it ended by itself.
func TestBodyEnds(t *testing.T) {
	t.Parallel()
	outcome, ended := make(chan error, 1), make(chan context.CancelFunc, 1)
	s := serve(t, Options{}, Route{Pattern: "PUT /a", Streams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithCancel(r.Context())
		defer end()
		ended <- end
		body, stop := Body(ctx, w, r)
		_, err := io.Copy(io.Discard, body)
		stop()
		outcome <- err
	})})
	nc, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	answers := bufio.NewReader(nc)
	for range 2 {
		_, _ = io.WriteString(nc, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
		<-ended
		if err := <-outcome; err != nil {
			t.Error(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil || answer.StatusCode != 200 {
			t.Fatal(answer, err)
		}
	}
	_, _ = io.WriteString(nc, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
	(<-ended)()
	if err := <-outcome; err == nil {
		t.Error("it read on")
	}
}

// CVE-2023-44487, CVE-2023-39325: streams that are reset at once. There are none, because HTTP/2 is not spoken.
func TestRapidReset(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{}, echo("GET /a"))
	dial := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	if nc, err := dial.DialContext(t.Context(), "tcp", s.tls); err == nil {
		t.Errorf("HTTP/2 is spoken over TLS: %v", nc.Close())
	}
	nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(nc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil { // RFC 9113 §3.4
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || answer.StatusCode < 400 {
		t.Errorf("HTTP/2 is spoken over TCP: %v, %v", answer, err)
	}
}

// Shutdown waits for a request that is served, but not beyond its time.
func TestShutdown(t *testing.T) {
	t.Parallel()
	inside := make(chan bool)
	s := serve(t, Options{}, Route{Pattern: "GET /wait", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside <- true
		<-r.Context().Done() // the connection was closed
	})})
	go func() {
		answer, err := client(t).Get("http://" + s.plain + "/wait")
		if err == nil {
			answer.Body.Close()
			t.Error("it was answered")
		}
		inside <- true
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s.Shutdown(ctx)
	<-inside
}
