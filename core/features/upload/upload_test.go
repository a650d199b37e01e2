package upload

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	host  = jid.MustParse("example.org")
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// memory is a Store, Files and a Clock.
type memory struct {
	mu       sync.Mutex
	rows     map[string]File
	contents map[string]string
	clock    time.Time
	storeErr error         // of StoreUpload
	filesErr error         // of Create
	deletes  error         // of Delete
	selected func()        // called by SelectUploads when it has listed
	stalled  chan struct{} // Create signals here, and waits for the end of its context; nil: it does not
}

func (m *memory) Now(context.Context) (time.Time, error) { return m.clock, nil }

func (m *memory) AddUpload(_ context.Context, f File, _ Quota) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[f.ID] = f
	return nil
}

func (m *memory) StoreUpload(_ context.Context, f File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.storeErr != nil {
		return m.storeErr
	}
	m.rows[f.ID] = f
	return nil
}

func (m *memory) Upload(_ context.Context, id string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.rows[id]
	if !ok {
		return f, ErrNotFound
	}
	return f, nil
}

func (m *memory) SelectUploads(_ context.Context, s Selection) (ids []string, _ error) {
	if m.selected != nil {
		defer m.selected()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(m.rows)) {
		f := m.rows[id]
		over := !f.Expires.IsZero() && f.Expires.Before(s.Expired) || f.Created.Before(s.Created) && f.Purpose != Profile
		if (f.Account == s.Account || s.Account.IsZero() && over) && len(ids) < s.Limit {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *memory) DeleteUpload(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, id)
	return nil
}

func (m *memory) Create(ctx context.Context, id string, size int64, content io.Reader) error {
	if m.filesErr != nil {
		return m.filesErr
	}
	if m.stalled != nil {
		m.stalled <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	b, err := io.ReadAll(blob.Reader(content, size))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.contents[id] = string(b)
	}
	return err
}

func (m *memory) Open(_ context.Context, id string) (io.ReadSeekCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.contents[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader(s), io.NopCloser(nil)}, nil
}

func (m *memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deletes == nil {
		delete(m.contents, id)
	}
	return m.deletes
}

func (m *memory) Room(int64) error { return nil }

// server is uploads with a service, over HTTP.
type server struct {
	t *testing.T
	*memory
	*Uploads
	service *Service
	base    string
}

func start(t *testing.T) *server {
	t.Helper()
	m := &memory{rows: map[string]File{}, contents: map[string]string{}, clock: time.Now()}
	s := &server{t: t, memory: m, Uploads: New(Options{Store: m, Files: m, Key: []byte("key"), Clock: m, Log: slog.New(slog.DiscardHandler), Limits: Limits{
		Size: 1000, ProfileSize: 1000, Quota: Quota{Keep: time.Hour},
	}})}
	s.Uploads.now = func() time.Time { return m.clock }
	mux := http.NewServeMux()
	for _, r := range s.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.base = web.URL
	s.service = NewService(s.Uploads, host, web.URL)
	return s
}

// request returns the answer to the request for a slot, and the id of the file.
func (s *server) request(account jid.JID, request string) (slot *stanza.Element, id string) {
	s.t.Helper()
	payload, err := stanza.ParseElement(request, "")
	if err != nil {
		s.t.Fatal(err)
	}
	f, err := s.service.read(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	f.Account = account
	e, err := s.service.slot(s.t.Context(), f, payload.Attr("content-type"))
	if err != nil {
		s.t.Fatal(err)
	}
	return e, f.ID
}

// slot returns the address and the Authorization header of a slot.
func (s *server) slot(account jid.JID, request string) (address, authorization string) {
	s.t.Helper()
	e, _ := s.request(account, request)
	return e.Child(NS, "get").Attr("url"), e.Child(NS, "put").ChildText(NS, "header")
}

const plainRequest = `<request xmlns='urn:xmpp:http:upload:0' filename='a' size='3'/>`

func (s *server) do(method, url, authorization, content string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer
}

func (s *server) wants(method, url, authorization string, want int) {
	s.t.Helper()
	if got := s.do(method, url, authorization, "abc").StatusCode; got != want {
		s.t.Errorf("%s: %d, want %d", method, got, want)
	}
}

// XEP-0363 §8: a slot is good for five minutes.
func TestSlotExpires(t *testing.T) {
	t.Parallel()
	s := start(t)
	url, token := s.slot(alice, plainRequest)
	late, lateToken := s.slot(alice, plainRequest)
	s.clock = s.clock.Add(slotTime - time.Second)
	s.wants("PUT", url, token, 201)
	s.clock = s.clock.Add(2 * time.Second)
	s.wants("PUT", late, lateToken, 403)
}

// XEP-0363 §5.3: an ephemeral file is not served after its time, and caches are told.
func TestEphemeral(t *testing.T) {
	t.Parallel()
	s := start(t)
	until := s.clock.Add(10 * time.Minute)
	url, token := s.slot(alice, `<request xmlns='urn:xmpp:http:upload:0' filename='a' size='3'><ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='`+
		until.UTC().Format(time.RFC3339Nano)+`'/></request>`)
	s.wants("PUT", url, token, 201)
	s.clock = until.Add(-2500 * time.Millisecond)
	if got := s.do("GET", url, "", "").Header.Get("Cache-Control"); got != "public, max-age=2, immutable" {
		t.Errorf("Cache-Control: %s", got)
	}
	s.clock = until.Add(time.Millisecond)
	s.wants("GET", url, "", 404)
	s.cleans(0)
}

// cleans runs the janitor and checks how many files are left.
func (s *server) cleans(left int) {
	s.t.Helper()
	if err := s.clean(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	if len(s.rows) != left {
		s.t.Errorf("%d files are left, want %d", len(s.rows), left)
	}
	for id := range s.contents {
		if _, ok := s.rows[id]; !ok {
			s.t.Errorf("the content of %s is left", id)
		}
	}
}

// The janitor deletes slots that nobody used and files that are old, but not those of profiles. After a failure it goes on where it was.
func TestJanitor(t *testing.T) {
	t.Parallel()
	s := start(t)
	old, oldToken := s.slot(alice, plainRequest)
	profile, profileToken := s.slot(alice, strings.Replace(plainRequest, "/>", "><profile xmlns='urn:xmpp:http:upload:purpose:0'/></request>", 1))
	s.slot(alice, plainRequest)
	s.wants("PUT", old, oldToken, 201)
	s.wants("PUT", profile, profileToken, 201)
	s.cleans(3)
	s.clock = s.clock.Add(slotTime + time.Second)
	s.cleans(2)
	s.wants("GET", old, "", 200)
	s.clock = s.clock.Add(time.Hour)
	s.wants("GET", old, "", 404) // before the janitor comes
	s.deletes = errors.New("away")
	if err := s.clean(t.Context()); !errors.Is(err, s.deletes) || len(s.rows) != 2 {
		t.Errorf("%v, %d files", err, len(s.rows))
	}
	s.deletes = nil
	s.cleans(1)
	s.wants("GET", profile, "", 200)
	for range 3 * janitorBatch {
		s.slot(bob, plainRequest)
	}
	s.clock = s.clock.Add(time.Hour)
	s.cleans(1)
	s.slot(bob, plainRequest)
	if err := s.RemoveAccount(t.Context(), alice); err != nil {
		t.Error(err)
	}
	s.cleans(1)
}

// A file whose upload ends after the janitor has listed its slot as expired stays.
func TestJanitorMeetsUpload(t *testing.T) {
	t.Parallel()
	s := start(t)
	url, token := s.slot(alice, plainRequest)
	s.slot(alice, plainRequest)
	begun := s.clock
	s.clock = s.clock.Add(slotTime + time.Second)
	s.selected = func() {
		late := s.clock
		s.clock = begun
		s.wants("PUT", url, token, 201)
		s.clock, s.selected = late, nil
	}
	s.cleans(1)
	s.wants("GET", url, "", 200)
}

// EndWriters ends uploads into a storage that does not answer, also those that begin later.
func TestEndWriters(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.stalled = make(chan struct{}, 2)
	url, token := s.slot(alice, plainRequest)
	go func() {
		<-s.stalled
		s.EndWriters()
	}()
	s.wants("PUT", url, token, 503)
	s.wants("PUT", url, token, 503)
}

// RFC 9110 §14.2: several ranges are ignored, as each would be a request to the storage.
func TestRanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	url, token := s.slot(alice, plainRequest)
	s.wants("PUT", url, token, 201)
	for ranges, want := range map[string]int{"bytes=0-1": 206, "bytes=0-0,2-2": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Range", ranges)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", ranges, answer.StatusCode, want)
		}
	}
}

type later struct{ error }

func (later) TryLater() bool { return true }

// A full disk, and a database that cannot be written, make the upload fail as a whole; it may be repeated.
func TestUploadFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files, store error
		want         int
	}{
		"full disk":               {&blob.Full{Cause: syscall.ENOSPC}, nil, 507},
		"broken disk":             {syscall.EIO, nil, 500},
		"full disk of the rows":   {nil, later{errors.New("full")}, 507},
		"database is broken":      {nil, errors.New("broken"), 500},
		"account removed in time": {nil, ErrNotFound, 404},
	} {
		s := start(t)
		s.filesErr, s.storeErr = c.files, c.store
		url, token := s.slot(alice, plainRequest)
		s.wants("PUT", url, token, c.want)
		if len(s.contents) != 0 {
			t.Errorf("%s: something is left", name)
		}
		s.wants("GET", url, "", 404)
		s.filesErr, s.storeErr = nil, nil
		s.wants("PUT", url, token, 201)
	}
}

// Two uploads to one slot at the same time: one of them is refused.
func TestUploadTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	url, token := s.slot(alice, plainRequest)
	id := strings.Split(url, "/")[4]
	if !s.claim(id, nil) {
		t.Fatal("in use")
	}
	s.wants("PUT", url, token, 409)
	s.release(id)
	s.wants("PUT", url, token, 201)
	s.wants("PUT", url, token, 409)
}

// redirecting gives its files out itself.
type redirecting struct{ *memory }

func (redirecting) URL(_ context.Context, id string, h http.Header) (string, error) {
	return "https://storage.example/" + id + "?type=" + h.Get("Content-Type"), nil
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	s := start(t)
	url, token := s.slot(alice, plainRequest)
	s.wants("PUT", url, token, 201)
	s.Files, s.Redirect = redirecting{s.memory}, true
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if to := answer.Header.Get("Location"); answer.StatusCode != 307 || !strings.HasPrefix(to, "https://storage.example/") || !strings.HasSuffix(to, "?type=application/octet-stream") ||
		answer.Header.Get("Cache-Control") != "no-store" {
		t.Error(answer)
	}
	s.wants("GET", url+"x", "", 404)
}

// A token is good for what it was made for, and nothing else.
func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := grant{id: newID(), name: "a", typ: "text/plain", size: 3, until: now.Add(time.Minute).Unix()}
	key, token := []byte("key"), g.token([]byte("key"))
	if got, ok := readToken(key, token, g.id, g.name, now); !ok || got != g {
		t.Errorf("%+v", got)
	}
	for i := range len(token) {
		for _, c := range []byte{'A', 'B', '.', '0', 0} {
			changed := []byte(token)
			if changed[i] == c {
				continue
			}
			changed[i] = c
			if got, ok := readToken(key, string(changed), g.id, g.name, now); ok && got != g {
				t.Errorf("%q was accepted: %+v", changed, got)
			}
		}
	}
	for name, ok := range map[string]bool{
		"other key":  second(readToken([]byte("other"), token, g.id, g.name, now)),
		"other file": second(readToken(key, token, newID(), g.name, now)),
		"other name": second(readToken(key, token, g.id, "b", now)),
		"later":      second(readToken(key, token, g.id, g.name, now.Add(2*time.Minute))),
		"empty":      second(readToken(key, "", g.id, g.name, now)),
		"no parts":   second(readToken(key, "Bearer ...", g.id, g.name, now)),
	} {
		if ok {
			t.Errorf("%s: accepted", name)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if seen[id] || blob.CheckID(id) != nil || len(id) != 32 {
			t.Fatal(id)
		}
		seen[id] = true
	}
}

func second(_ grant, ok bool) bool { return ok }

func FuzzToken(f *testing.F) {
	f.Add("Bearer 1.2.YQ.YQ", "id", "name")
	f.Fuzz(func(t *testing.T, header, id, name string) {
		if _, ok := readToken([]byte("key"), header, id, name, time.Unix(0, 0)); ok {
			t.Error("accepted")
		}
	})
}

func FuzzName(f *testing.F) {
	f.Add("a/b\\c\x00.txt")
	f.Fuzz(func(t *testing.T, s string) {
		name := cleanName(s)
		if strings.ContainsAny(name, "/\\\x00\r\n") || len(name) > maxName || name == "." || name == ".." || cleanName(name) != name && len(s) < maxName {
			t.Errorf("%q becomes %q", s, name)
		}
	})
}
