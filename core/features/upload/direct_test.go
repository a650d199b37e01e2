package upload

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
)

// storage is a memory to which clients send files themselves, with this outcome of CheckSigned.
type storage struct {
	*memory
	checked error
	typ     string // with which files were sent
	stored  time.Time
}

func (s *storage) CheckSigned(context.Context) error { return s.checked }

func (s *storage) PutURL(_ context.Context, id string, _ int64, typ string, good time.Duration) (string, error) {
	return "https://storage.example/" + id + "?" + good.String() + typ, nil
}

func (s *storage) Stat(_ context.Context, id string) (size int64, typ string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.contents[id]
	if !ok {
		return 0, "", fs.ErrNotExist
	}
	return int64(len(content)), s.typ, nil
}

func (s *storage) List(_ context.Context, f func(id string, stored time.Time) error) error {
	s.mu.Lock()
	ids := slices.Collect(maps.Keys(s.contents))
	s.mu.Unlock()
	for _, id := range ids {
		if err := f(id, s.stored); err != nil {
			return err
		}
	}
	return nil
}

// receives stores a file as a client does with the address of its slot.
func (s *storage) receives(id, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contents[id] = content
}

func startDirect(t *testing.T) (*server, *storage) {
	t.Helper()
	s := start(t)
	st := &storage{memory: s.memory, typ: "image/png", stored: s.clock}
	s.Direct = st
	s.checkDirect(t.Context())
	return s, st
}

// directSlot returns the addresses of a slot, and the id of the file.
func (s *server) directSlot(request string) (get, put, id string) {
	s.t.Helper()
	e, id := s.request(alice, request)
	return e.Child(NS, "get").Attr("url"), e.Child(NS, "put").Attr("url"), id
}

// What comes to the storage when its slot is gone is found there and deleted, once it is certain that no slot is on its way.
func TestSweep(t *testing.T) {
	t.Parallel()
	s, st := startDirect(t)
	_, _, id := s.directSlot(`<request xmlns='urn:xmpp:http:upload:0' filename='a' size='3' content-type='image/png'/>`)
	st.receives(id, "abc")
	st.receives("0000000000000000late", "abc")
	has := func() int {
		st.mu.Lock()
		defer st.mu.Unlock()
		return len(st.contents)
	}
	for _, step := range []struct {
		stored, after time.Duration // before now; since the step before
		want          int
	}{{directTime, 0, 2}, {3 * directTime, time.Hour, 2}, {3 * directTime, sweepEvery, 1}} {
		s.clock = s.clock.Add(step.after)
		st.stored = s.clock.Add(-step.stored)
		if err := s.sweep(t.Context(), s.clock); err != nil || has() != step.want {
			t.Errorf("%+v: %d files, %v", step, has(), err)
		}
	}
}

// A file that a client has sent to the storage is visible at once. It is stored when its address is not good any more, also if nobody has
// asked for it before.
func TestDirect(t *testing.T) {
	t.Parallel()
	s, st := startDirect(t)
	get, put, id := s.directSlot(`<request xmlns='urn:xmpp:http:upload:0' filename='a' size='3' content-type='IMAGE/png'/>`)
	if want := "https://storage.example/" + id + "?5m0sIMAGE/png"; put != want {
		t.Errorf("the slot is %s, want %s", put, want)
	}
	if got := s.do("GET", get, "", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("before the upload: %d", got.StatusCode)
	}
	st.receives(id, "abc")
	got := s.do("GET", get, "", "")
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "image/png" || got.Header.Get("Cache-Control") != "no-cache" || got.Header.Get("ETag") != "" {
		t.Errorf("after it: %d, %v", got.StatusCode, got.Header)
	}
	if !s.rows[id].Stored.IsZero() {
		t.Error("a file that may be replaced still counts as stored")
	}
	s.clock = s.clock.Add(slotTime + directTime + time.Second)
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := s.rows[id]; f.Stored.IsZero() || !f.Expires.IsZero() {
		t.Errorf("afterwards: %+v", f)
	}
	s.clock = s.clock.Add(-time.Minute * 30) // the files are kept for an hour here
	if got := s.do("GET", get, "", ""); got.StatusCode != http.StatusOK {
		t.Errorf("when it is stored: %d", got.StatusCode)
	}
}

// What the address of a slot does not enforce is checked: a file of another size is never visible, and is deleted.
func TestDirectWrongSize(t *testing.T) {
	t.Parallel()
	s, st := startDirect(t)
	get, _, id := s.directSlot(plainRequest)
	st.receives(id, "too long")
	if got := s.do("GET", get, "", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("%d", got.StatusCode)
	}
	s.clock = s.clock.Add(slotTime + directTime + time.Second)
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.rows) != 0 || len(s.contents) != 0 {
		t.Errorf("left: %v, %v", s.rows, s.contents)
	}
}

// An ephemeral file is not given out when its time is over, also while its slot is good.
func TestDirectEphemeral(t *testing.T) {
	t.Parallel()
	s, st := startDirect(t)
	until := s.clock.Add(time.Minute).UTC().Format(time.RFC3339)
	get, _, id := s.directSlot(`<request xmlns='urn:xmpp:http:upload:0' filename='a' size='3'><ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='` + until + `'/></request>`)
	st.receives(id, "abc")
	if got := s.do("GET", get, "", ""); got.StatusCode != http.StatusOK {
		t.Errorf("in time: %d", got.StatusCode)
	}
	s.clock = s.clock.Add(2 * time.Minute)
	if got := s.do("GET", get, "", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("too late: %d", got.StatusCode)
	}
	s.clock = s.clock.Add(slotTime + directTime)
	for range 2 {
		if err := s.clean(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.rows) != 0 || len(s.contents) != 0 {
		t.Errorf("left: %v, %v", s.rows, s.contents)
	}
}

// What is sent at the address of a slot after its account was deleted is deleted too.
func TestDirectAfterRemoval(t *testing.T) {
	t.Parallel()
	s, st := startDirect(t)
	_, _, id := s.directSlot(plainRequest)
	if err := s.RemoveAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	st.receives(id, "abc")
	if err := s.clean(t.Context()); err != nil || len(s.contents) != 1 {
		t.Errorf("%v, %v", s.contents, err)
	}
	s.clock = s.clock.Add(slotTime + directTime + time.Second)
	if err := s.clean(t.Context()); err != nil || len(s.contents) != 0 || len(s.Uploads.direct.deleted) != 0 {
		t.Errorf("left: %v, %v", s.contents, err)
	}
}

// Clients upload through this server until it is known that the storage enforces what is signed.
func TestDirectUnenforced(t *testing.T) {
	t.Parallel()
	s := start(t)
	st := &storage{memory: s.memory, checked: errors.New("it cannot be reached")}
	s.Direct = st
	through := func() bool {
		t.Helper()
		get, put, _ := s.directSlot(plainRequest)
		return get == put
	}
	if s.checkDirect(t.Context()); !through() {
		t.Error("it was not tried")
	}
	st.checked = blob.ErrUnenforced
	s.checkDirect(t.Context())
	st.checked = nil
	if s.checkDirect(t.Context()); !through() {
		t.Error("it does not enforce")
	}
}
