package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

type signer string

func (s signer) Sign(text string) string { return string(s) + text }

// network has files in memory and counts how often they are read.
type network struct {
	mu    sync.Mutex
	files map[string][]byte
	err   error
	opens atomic.Int64
	gate  chan struct{} // not nil: each file stops after its first half until it is closed
	wg    sync.WaitGroup
	ctx   context.Context
	end   context.CancelFunc
}

func (n *network) Go(f func(ctx context.Context)) bool {
	n.wg.Go(func() { f(n.ctx) })
	return true
}

func (n *network) OpenMedia(ctx context.Context, m tables.Media, usable func(transports.LoginID) bool) (io.ReadCloser, transports.File, error) {
	if !usable("login") {
		return nil, transports.File{}, ErrNotAsked
	}
	n.opens.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return nil, transports.File{}, n.err
	}
	data := n.files[m.Ref]
	var content io.Reader = bytes.NewReader(data)
	if n.gate != nil {
		content = io.MultiReader(bytes.NewReader(data[:len(data)/2]), &gated{ctx, n.gate}, bytes.NewReader(data[len(data)/2:]))
	}
	return io.NopCloser(content), transports.File{Size: int64(len(data))}, nil
}

// gated gives nothing until the gate is opened.
type gated struct {
	ctx  context.Context
	gate chan struct{}
}

func (g *gated) Read([]byte) (int, error) {
	select {
	case <-g.gate:
		return 0, io.EOF
	case <-g.ctx.Done():
		return 0, g.ctx.Err()
	}
}

// rows are the files that have addresses.
type rows struct {
	mu  sync.Mutex
	all map[string]tables.Media
}

func (r *rows) Media(_ context.Context, id string) (tables.Media, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.all[id]
	return m, ok, nil
}

type fixture struct {
	*testing.T
	net     *network
	rows    *rows
	links   *Links
	service *Service
	dir     string
	web     *httptest.Server
	limits  Limits
	rates   Rates
	now     atomic.Int64 // seconds after the start of the test
}

func newFixture(t *testing.T, l Limits) *fixture {
	t.Helper()
	t.Parallel()
	f := &fixture{T: t, dir: filepath.Join(t.TempDir(), "media"), rows: &rows{all: map[string]tables.Media{}}, limits: l}
	f.net = &network{files: map[string][]byte{}}
	f.net.ctx, f.net.end = context.WithCancel(context.Background())
	f.start()
	t.Cleanup(func() {
		f.web.Close()
		f.net.end()
		f.net.wg.Wait()
	})
	return f
}

func (f *fixture) start() {
	f.Helper()
	begun := time.Now()
	cache, err := OpenCache(f.dir, f.limits, func() time.Time { return begun.Add(time.Duration(f.now.Load()) * time.Second) })
	if err != nil {
		f.Fatal(err)
	}
	f.service = New(Options{Rows: f.rows, Cache: cache, Size: 1 << 31, Fetches: 2, Rates: f.rates, Log: slog.New(slog.DiscardHandler)})
	f.service.Attach("net.example.org", f.net)
	mux := http.NewServeMux()
	for _, r := range f.service.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	f.web = httptest.NewServer(mux)
	f.links = NewLinks(f.web.URL+"/", signer("secret"), 1<<31)
}

// share gives a file an address.
func (f *fixture) share(file transports.File, data []byte) string {
	f.Helper()
	f.net.mu.Lock()
	f.net.files[file.Ref] = data
	f.net.mu.Unlock()
	linked, list := f.links.Link(1, "m1", []transports.File{file})
	f.rows.mu.Lock()
	defer f.rows.mu.Unlock()
	for _, m := range list {
		m.Gateway = "net.example.org"
		f.rows.all[m.ID] = m
	}
	return linked[0].URL
}

func (f *fixture) request(method, url string, header ...string) (*http.Response, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, url, http.NoBody)
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer, string(data)
}

func (f *fixture) get(url string) (int, string) {
	f.Helper()
	answer, text := f.request(http.MethodGet, url)
	return answer.StatusCode, text
}

// A file is read from the network once, and served as a whole, in parts, and after a restart.
func TestServe(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	url := f.share(transports.File{ID: "F1", Ref: "F1", Name: "a b/ä.png", MIME: "image/png", Size: 6}, []byte("abcdef"))
	if answer, _ := f.request(http.MethodHead, url); answer.StatusCode != http.StatusOK || answer.ContentLength != 6 || f.net.opens.Load() != 0 {
		t.Errorf("HEAD: %d, %d bytes, %d reads", answer.StatusCode, answer.ContentLength, f.net.opens.Load())
	}
	answer, text := f.request(http.MethodGet, url)
	if text != "abcdef" || answer.Header.Get("Content-Type") != "image/png" || answer.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "inline") {
		t.Errorf("%q with %v", text, answer.Header)
	}
	if answer, text := f.request(http.MethodGet, url, "Range", "bytes=2-3"); answer.StatusCode != http.StatusPartialContent || text != "cd" {
		t.Errorf("a part: %d %q", answer.StatusCode, text)
	}
	if answer, text := f.request(http.MethodGet, url, "Range", "bytes=0-0,2-2,4-4"); answer.StatusCode != http.StatusOK || text != "abcdef" {
		t.Errorf("many parts: %d %q", answer.StatusCode, text)
	}
	base := f.web.URL
	f.web.Close()
	f.start()
	if status, text := f.get(strings.Replace(url, base, f.web.URL, 1)); status != http.StatusOK || text != "abcdef" {
		t.Errorf("after a restart: %d %q", status, text)
	}
	if n := f.net.opens.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// A request for a file under another name than that of its address does not remove it from the cache, which would cost the network a
// reading for each request.
func TestAnotherNameRemovesNothing(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	url := f.share(transports.File{ID: "F1", Ref: "F1", Name: "a.png", MIME: "image/png", Size: 6}, []byte("abcdef"))
	for range 5 {
		if status, text := f.get(url); status != http.StatusOK || text != "abcdef" {
			t.Errorf("%d %q", status, text)
		}
		if status, _ := f.get(url + "x"); status != http.StatusNotFound {
			t.Errorf("another name: %d", status)
		}
	}
	if n := f.net.opens.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// TestTypeRunsNothing is about stored cross-site scripting: no type that a browser would run is served.
func TestTypeRunsNothing(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	for i, typ := range []string{"text/html", "image/svg+xml", "application/javascript", "text/xml", "", "x"} {
		ref := fmt.Sprint("F", i)
		answer, _ := f.request(http.MethodGet, f.share(transports.File{ID: ref, Ref: ref, Name: "x.html", MIME: typ}, []byte("<script>")))
		if got := answer.Header.Get("Content-Type"); typ != "x" && got != "application/octet-stream" || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%q is served as %q, %q", typ, got, answer.Header.Get("Content-Disposition"))
		}
	}
}

// Addresses cannot be guessed, are the same each time, and name one file only.
func TestAddresses(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	file := transports.File{ID: "F1", Ref: "F1", Name: "..", MIME: "text/plain"}
	url := f.share(file, []byte("x"))
	if again := f.share(file, []byte("x")); again != url || f.links.ID(url) == "" || f.links.ID(f.web.URL+"/media") != "" {
		t.Errorf("%q and %q", url, again)
	}
	if strings.HasSuffix(url, "..") || len(f.links.ID(url)) != 32 {
		t.Errorf("the address is %q", url)
	}
	if other, _ := NewLinks(f.web.URL, signer("other"), 1<<20).Link(1, "m1", []transports.File{file}); other[0].URL == url {
		t.Error("another key makes the same address")
	}
	id := f.links.ID(url)
	for _, bad := range []string{url + "x", f.web.URL + Path + strings.Repeat("a", 32) + "/_", f.web.URL + Path + id + "/x", f.web.URL + Path + "%2e%2e%2f%2e%2e%2fetc/passwd", f.web.URL + Path + strings.ToUpper(id) + "/_"} {
		if status, _ := f.get(bad); status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if f.net.opens.Load() != 0 {
		t.Error("a wrong address reads from the network")
	}
	if linked, list := NewLinks("https://e.org", signer("s"), 10).Link(1, "m", []transports.File{{ID: "F", Ref: "F", Size: 11, URL: "https://network/F"}, {ID: "G", URL: "https://elsewhere/G"}}); len(list) != 0 || linked[0].URL != "https://network/F" || linked[1].URL != "https://elsewhere/G" {
		t.Errorf("a file that is too large, and one without a reference: %v, %v", linked, list)
	}
}

// Whoever asks while a file comes is served what is there, and the file is read once for all.
func TestWhileReceiving(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	data := bytes.Repeat([]byte("abcdefgh"), 50_000) // the first half is more than what a response buffers
	f.net.gate = make(chan struct{})
	url := f.share(transports.File{ID: "F1", Ref: "F1", Name: "x", Size: int64(len(data))}, data)
	open := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	a, b := open(), open()
	defer a.Body.Close()
	defer b.Body.Close()
	close(f.net.gate)
	for _, answer := range []*http.Response{a, b} {
		if got, err := io.ReadAll(answer.Body); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %v", len(got), err)
		}
	}
	if n := f.net.opens.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// What nobody waits for any longer is not read to its end; who asks later gets it.
func TestAbandoned(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	f.net.gate = make(chan struct{})
	url := f.share(transports.File{ID: "F1", Ref: "F1", Name: "x", Size: 8}, []byte("abcdefgh"))
	m, _, _ := f.rows.Media(t.Context(), f.links.ID(url))
	ctx, cancel := context.WithCancel(t.Context())
	content, err := f.service.Open(ctx, m, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := content.Close(); err != nil {
		t.Error(err)
	}
	f.net.mu.Lock()
	f.net.gate = nil
	f.net.mu.Unlock()
	if status, text := f.get(url); status != http.StatusOK || text != "abcdefgh" {
		t.Errorf("%d %q", status, text)
	}
	f.net.wg.Wait()
	if list, err := os.ReadDir(f.dir); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// The cache takes no more room than it may, and reads again what had to go.
func TestQuota(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 10})
	var urls []string
	for i := range 3 {
		ref := fmt.Sprint("F", i)
		urls = append(urls, f.share(transports.File{ID: ref, Ref: ref, Name: "x", Size: 4}, []byte("abc"+strconv.Itoa(i))))
	}
	for _, i := range []int{0, 1, 0, 2, 0, 1} { // 1 goes for 2, and 2 for 1
		f.now.Add(1)
		if status, text := f.get(urls[i]); status != http.StatusOK || text != "abc"+strconv.Itoa(i) {
			t.Errorf("%d: %d %q", i, status, text)
		}
	}
	f.net.wg.Wait()
	if n := f.net.opens.Load(); n != 4 {
		t.Errorf("read %d times", n)
	}
	large := f.share(transports.File{ID: "L", Ref: "L", Name: "x"}, make([]byte, 11))
	if status, _ := f.get(large); status != http.StatusInsufficientStorage {
		t.Errorf("more than there is room for: %d", status)
	}
	if n := f.service.Counters("net.example.org").Cache.Load(); n != 1 {
		t.Errorf("counted %d times", n)
	}
}

// What was not asked for for long goes, and so does a file whose message is gone.
func TestClean(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20, Keep: time.Hour})
	a := f.share(transports.File{ID: "A", Ref: "A", Name: "x"}, []byte("a"))
	b := f.share(transports.File{ID: "B", Ref: "B", Name: "x"}, []byte("b"))
	c := f.share(transports.File{ID: "C", Ref: "C", Name: "x"}, []byte("c"))
	f.get(a)
	f.now.Store(3000)
	f.get(b)
	f.get(c)
	f.net.wg.Wait()
	f.rows.mu.Lock()
	delete(f.rows.all, f.links.ID(b))
	f.rows.mu.Unlock()
	f.now.Store(4000)
	if err := f.service.Clean(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(f.dir)
	if err != nil || len(list) != 1 || list[0].Name() != f.links.ID(c) {
		t.Errorf("%v %v", list, err)
	}
	if status, _ := f.get(b); status != http.StatusNotFound {
		t.Errorf("the file of a message that is gone: %d", status)
	}
}

// What the network refuses is not there; what it cannot do now may be asked for later. Nothing of its answer is told.
func TestErrors(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	url := f.share(transports.File{ID: "F1", Ref: "F1", Name: "x"}, []byte("abc"))
	for err, want := range map[error]int{
		transports.Refuse("item-not-found", "gone", errors.New("xoxb-secret")): http.StatusNotFound,
		transports.Later(0, errors.New("xoxb-secret")):                         http.StatusServiceUnavailable,
		errors.New("xoxb-secret"):                                              http.StatusBadGateway,
	} {
		f.net.mu.Lock()
		f.net.err = err
		f.net.mu.Unlock()
		if status, text := f.get(url); status != want || strings.Contains(text, "secret") {
			t.Errorf("%v: %d %q", err, status, text)
		}
		f.now.Add(3600)
	}
	f.net.mu.Lock()
	f.net.err = nil
	f.net.mu.Unlock()
	f.service.Detach("net.example.org", f.net)
	if status, _ := f.get(url); status != http.StatusServiceUnavailable {
		t.Errorf("without its gateway: %d", status)
	}
	f.service.Attach("net.example.org", f.net)
	if status, text := f.get(url); status != http.StatusOK || text != "abc" {
		t.Errorf("in the end: %d %q", status, text)
	}
}
