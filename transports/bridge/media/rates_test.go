package media

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

func (f *fixture) fail(err error) {
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	f.net.err = err
}

// TestRefusalsAreRemembered is about requests without a login that cost calls of the network's API: what it has refused is not asked for
// again for a time.
func TestRefusalsAreRemembered(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 1 << 20})
	for i, c := range []struct {
		err    error
		status int
		keep   time.Duration
	}{
		{transports.Refuse("item-not-found", "gone", nil), http.StatusNotFound, refusedTime},
		{transports.Later(0, nil), http.StatusServiceUnavailable, failedTime},
		{transports.Relink("again", nil), http.StatusServiceUnavailable, failedTime},
		{errors.New("odd"), http.StatusBadGateway, failedTime},
	} {
		ref := fmt.Sprint("F", i)
		url := f.share(transports.File{ID: ref, Ref: ref, Name: "x"}, []byte("abc"))
		before := f.net.opens.Load()
		f.fail(c.err)
		for range 5 {
			if status, _ := f.get(url); status != c.status {
				t.Errorf("%v: %d", c.err, status)
			}
		}
		f.now.Add(int64(c.keep/time.Second) - 1)
		f.fail(nil)
		if status, _ := f.get(url); status != c.status {
			t.Errorf("%v, a moment before the end: %d", c.err, status)
		}
		if n := f.net.opens.Load() - before; n != 1 {
			t.Errorf("%v: asked %d times", c.err, n)
		}
		f.now.Add(1)
		if status, text := f.get(url); status != http.StatusOK || text != "abc" {
			t.Errorf("%v, in the end: %d %q", c.err, status, text)
		}
	}
}

// A file that is too large, and one that the disk has no room for, are not asked for again at once either.
func TestTooLargeIsRemembered(t *testing.T) {
	f := newFixture(t, Limits{Bytes: 10})
	url := f.share(transports.File{ID: "L", Ref: "L", Name: "x"}, make([]byte, 11))
	for range 3 {
		if status, _ := f.get(url); status != http.StatusInsufficientStorage {
			t.Errorf("more than there is room for: %d", status)
		}
	}
	f.service.Size = 5
	other := f.share(transports.File{ID: "M", Ref: "M", Name: "x"}, make([]byte, 6))
	for range 3 {
		if status, _ := f.get(other); status != http.StatusNotFound {
			t.Errorf("more than one file may have: %d", status)
		}
	}
	if n := f.net.opens.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	var f failures
	now := time.Now()
	for i := range maxFailures + 100 {
		f.note(strconv.Itoa(i), transports.Refuse("", "", nil), now)
	}
	if len(f.list) != maxFailures {
		t.Errorf("%d are known", len(f.list))
	}
	f.note("one", errors.New("odd"), now.Add(refusedTime))
	if len(f.list) != 1 || f.of("one", now.Add(refusedTime)) == nil {
		t.Errorf("%d are known in the end", len(f.list))
	}
}

// TestRateOfOneAddress has one client ask for many files: those of others are still read, and what is kept here does not count.
func TestRateOfOneAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newServiceFixture(t, Rates{Address: 3})
		a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		for i := range 5 {
			if err := f.open(i, a); (err == nil) != (i < 3) {
				t.Errorf("file %d: %v", i, err)
			}
		}
		if err := errors.Join(f.open(0, a), f.open(3, b), f.open(3, a), f.open(4, netip.Addr{})); err != nil {
			t.Error(err)
		}
		time.Sleep(20 * time.Second)
		if err := f.open(5, a); err != nil {
			t.Errorf("later: %v", err)
		}
		if n := f.service.Counters("net.example.org").AddressRate.Load(); n != 2 {
			t.Errorf("counted %d times", n)
		}
	})
}

// TestRateOfOneLogin has many addresses ask for files that one login reads.
func TestRateOfOneLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newServiceFixture(t, Rates{Login: 4})
		for i := range 6 {
			if err := f.open(i, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})); (err == nil) != (i < 4) {
				t.Errorf("file %d: %v", i, err)
			}
		}
		time.Sleep(15 * time.Second)
		if err := f.open(5, netip.Addr{}); err != nil {
			t.Errorf("later: %v", err)
		}
		if n := f.service.Counters("net.example.org").LoginRate.Load(); n != 2 {
			t.Errorf("counted %d times", n)
		}
		time.Sleep(2 * time.Minute)
		if err := f.service.Clean(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
		if n := len(f.service.source("net.example.org").logins.list); n != 0 {
			t.Errorf("%d logins are still counted", n)
		}
	})
}

// serviceFixture is a service that is asked without HTTP.
type serviceFixture struct {
	service *Service
	net     *network
	open    func(i int, from netip.Addr) error
}

func newServiceFixture(t *testing.T, r Rates) *serviceFixture {
	t.Helper()
	cache, err := OpenCache(t.TempDir(), Limits{Bytes: 1 << 20}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	f := &serviceFixture{net: &network{files: map[string][]byte{}, ctx: t.Context()}}
	f.service = New(Options{Rows: &rows{}, Cache: cache, Size: 1 << 20, Fetches: 2, Rates: r})
	f.service.Attach("net.example.org", f.net)
	links := NewLinks("https://net.example.org", signer("secret"), 1<<20)
	f.open = func(i int, from netip.Addr) error {
		ref := strconv.Itoa(i)
		_, list := links.Link(1, "m", []transports.File{{ID: ref, Ref: ref, Name: "x"}})
		m := list[0]
		m.Gateway = "net.example.org"
		f.net.mu.Lock()
		f.net.files[ref] = []byte("abc")
		f.net.mu.Unlock()
		content, err := f.service.Open(t.Context(), m, from)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, content)
		return errors.Join(err, content.Close())
	}
	return f
}
