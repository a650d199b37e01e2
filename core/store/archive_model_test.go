package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// isSender reports whether an account has sent a message to somebody else.
func isSender(account jid.JID, st *stanza.Stanza) bool {
	return st.From.Bare() == account && st.To.Bare() != account
}

// peerOf is the other side of a message of an account.
func peerOf(account jid.JID, st *stanza.Stanza) jid.JID {
	if st.From.Bare() == account {
		return st.To
	}
	return st.From
}

// archiveModel is what archives are, in memory: lists in the order of arrival.
type archiveModel map[jid.JID][]archive.Entry

func (m archiveModel) find(account jid.JID, id string) int {
	return slices.IndexFunc(m[account], func(e archive.Entry) bool { return e.ID == id })
}

// query answers as the store has to.
func (m archiveModel) query(account jid.JID, f archive.Filter, p archive.Page) (ids []string, complete bool, err error) {
	list := m[account]
	from, to := 0, len(list)
	for _, bound := range []struct {
		id     string
		before bool
	}{{f.AfterID, false}, {p.After, false}, {f.BeforeID, true}, {p.Before, true}} {
		if bound.id == "" {
			continue
		}
		i := m.find(account, bound.id)
		if i < 0 {
			return nil, false, archive.ErrNoEntry
		}
		if bound.before {
			to = min(to, i)
		} else {
			from = max(from, i+1)
		}
	}
	for _, id := range f.IDs {
		if m.find(account, id) < 0 {
			return nil, false, archive.ErrNoEntry
		}
	}
	for i := from; i < to; i++ {
		e := list[i]
		peer := peerOf(account, e.Stanza)
		with := f.With.IsZero() || peer == f.With || !f.With.IsFull() && peer.Bare() == f.With
		in := (f.Start.IsZero() || !e.At.Before(f.Start)) && (f.End.IsZero() || !e.At.After(f.End))
		if with && in && (len(f.IDs) == 0 || slices.Contains(f.IDs, e.ID)) {
			ids = append(ids, e.ID)
		}
	}
	complete = len(ids) <= p.Max
	if !complete && p.Backwards {
		ids = ids[len(ids)-p.Max:]
	}
	return ids[:min(len(ids), p.Max)], complete, nil
}

// archiveMachine does the same to a store and to the model.
type archiveMachine struct {
	t      *rapid.T
	store  *Store
	path   string
	model  archiveModel
	clock  time.Time
	newest time.Time // that the clock was
	ids    []string  // that were given out
}

var modelPeople = []jid.JID{alice, bob, carol} // carol has no account

func (m *archiveMachine) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// archive writes one message, for the sender, for the receiver or for both, as the server does.
func (m *archiveMachine) archive(t *rapid.T) {
	step := rapid.SampledFrom([]time.Duration{0, time.Microsecond, time.Second, 40 * time.Second, time.Hour, -time.Millisecond, -2 * time.Second, -3 * time.Hour}).Draw(t, "step")
	m.clock = m.clock.Add(step)
	if m.clock.After(m.newest) {
		m.newest = m.clock
	}
	address := func(label string) jid.JID {
		j := rapid.SampledFrom(modelPeople).Draw(t, label)
		full, err := j.WithResource(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, label+" resource"))
		m.check(err)
		return full
	}
	st := stanza.NewMessage(address("to"), address("from"), stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(len(m.ids))))
	id := storetest.IDAt(m.clock.Add(rapid.SampledFrom([]time.Duration{0, 0, -time.Millisecond, -5 * time.Second}).Draw(t, "age"))).String()
	if len(m.ids) > 0 && rapid.IntRange(0, 9).Draw(t, "again") == 0 {
		id = rapid.SampledFrom(m.ids).Draw(t, "old id")
	}
	m.ids = append(m.ids, id)
	var outcomes []func()
	for _, account := range []jid.JID{st.From.Bare(), st.To.Bare()} {
		if account == st.From.Bare() && account == st.To.Bare() && len(outcomes) > 0 {
			continue
		}
		e := archive.Entry{ID: id, At: m.clock, Stanza: st}
		if !isSender(account, st) && rapid.Bool().Draw(t, "stamped") {
			e.Stanza = st.With(stanza.NewElement("urn:xmpp:sid:0", "stanza-id").With("by", account.String()).With("id", id))
		}
		done := make(chan error, 1)
		m.store.Archive(account, e, func(err error) { done <- err })
		list, exists := m.model[account]
		want := error(nil)
		if m.model.find(account, id) >= 0 {
			want = archive.ErrTwice
		} else if exists {
			m.model[account] = append(list, e)
		}
		outcomes = append(outcomes, func() {
			if err := <-done; !errors.Is(err, want) {
				t.Fatalf("archive %s for %s: %v, want %v", id, account, err, want)
			}
		})
	}
	if rapid.Bool().Draw(t, "wait") {
		for _, wait := range outcomes {
			wait()
		}
	}
}

// restart closes the store and opens it again.
func (m *archiveMachine) restart(t *rapid.T) {
	m.check(m.store.Close())
	var err error
	m.store, err = Open(t.Context(), Options{Path: m.path})
	m.check(err)
}

// prune deletes what is older than some entry.
func (m *archiveMachine) prune(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "rarely") > 0 {
		return
	}
	m.readTimes()
	before := m.clock.Add(-rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "keep"))
	for after := int64(0); ; {
		var err error
		_, after, err = m.store.PruneArchive(t.Context(), archives.Pruning{Before: before, Now: m.clock, After: after, Limit: rapid.IntRange(1, 5).Draw(t, "limit")})
		m.check(err)
		if after == 0 {
			break
		}
	}
	for account, list := range m.model {
		r, err := m.store.Query(t.Context(), account, archive.Filter{}, archive.Page{Max: 1 << 20})
		m.check(err)
		m.model[account] = slices.DeleteFunc(list, func(e archive.Entry) bool {
			left := slices.ContainsFunc(r.Entries, func(has archive.Entry) bool { return has.ID == e.ID })
			switch old := e.At.Before(before); {
			case !left && !old && !e.At.After(m.clock):
				t.Fatalf("%s of %v was deleted as older than %v", e.ID, e.At, before)
			case left && old && m.newest.Before(before): // else it is behind one that was later, and the clock was set back
				t.Fatalf("%s of %v is left, older than %v", e.ID, e.At, before)
			}
			return !left
		})
	}
}

// remove deletes an account, and makes it anew.
func (m *archiveMachine) remove(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "rarely") > 0 {
		return
	}
	account := rapid.SampledFrom([]jid.JID{alice, bob}).Draw(t, "account")
	m.check(m.store.DeleteAccount(t.Context(), account))
	m.check(m.store.CreateAccount(t.Context(), account, sasl.Credentials{}))
	m.model[account] = nil
}

// query compares a page.
func (m *archiveMachine) query(t *rapid.T) {
	account := rapid.SampledFrom(modelPeople).Draw(t, "account")
	id := func(label string) string {
		if len(m.ids) == 0 || rapid.IntRange(0, 2).Draw(t, label+" set") > 0 {
			return ""
		}
		return rapid.SampledFrom(append(slices.Clone(m.ids), "unknown", storetest.IDAt(m.clock).String())).Draw(t, label)
	}
	there := func(label string) string { // what is not there is a position, see missing
		s := id(label)
		if _, ok := archive.ParseID(s); ok && m.model.find(account, s) < 0 {
			return ""
		}
		return s
	}
	f := archive.Filter{AfterID: there("after id"), BeforeID: there("before id")}
	p := archive.Page{Max: rapid.IntRange(1, 6).Draw(t, "max"), Backwards: rapid.Bool().Draw(t, "backwards"), After: there("after"), Before: there("before")}
	if one := id("one id"); one != "" {
		f.IDs = []string{one, rapid.SampledFrom(m.ids).Draw(t, "other id")}
	}
	switch with := rapid.SampledFrom(modelPeople).Draw(t, "with"); rapid.IntRange(0, 3).Draw(t, "with set") {
	case 0:
		f.With = with
	case 1:
		f.With, _ = with.WithResource("x")
	}
	if rapid.IntRange(0, 2).Draw(t, "start set") == 0 {
		f.Start = m.clock.Add(-time.Duration(rapid.IntRange(0, 7200).Draw(t, "start")) * time.Second)
	}
	if rapid.IntRange(0, 2).Draw(t, "end set") == 0 {
		f.End = m.clock.Add(-time.Duration(rapid.IntRange(-10, 3600).Draw(t, "end")) * time.Second)
	}
	m.readTimes()
	m.compare(account, f, p)
}

// missing asks for what is behind and before an id that is not in an archive: nothing may be left out.
func (m *archiveMachine) missing(t *rapid.T) {
	account := rapid.SampledFrom(modelPeople).Draw(t, "account")
	id := rapid.SampledFrom(append(slices.Clone(m.ids), storetest.IDAt(m.clock).String())).Draw(t, "missing id")
	if m.model.find(account, id) >= 0 {
		return
	}
	m.readTimes()
	known, _ := archive.ParseID(id)
	made := time.UnixMicro(known.Micros())
	after, err := m.store.Query(m.t.Context(), account, archive.Filter{}, archive.Page{Max: 1 << 20, After: id})
	m.check(err)
	before, err := m.store.Query(m.t.Context(), account, archive.Filter{}, archive.Page{Max: 1 << 20, Before: id, Backwards: true})
	m.check(err)
	has := func(r archive.Result, id string) bool {
		return slices.ContainsFunc(r.Entries, func(e archive.Entry) bool { return e.ID == id })
	}
	for _, e := range m.model[account] {
		if !e.At.Before(made) && !has(after, e.ID) || !e.At.After(made) && !has(before, e.ID) {
			m.t.Fatalf("%s at %v is neither behind nor before %s of %v", e.ID, e.At, id, made)
		}
	}
}

// readTimes takes the times of the entries from the store. They are those of the model, but for less than a
// second by which an entry is later than the one before.
func (m *archiveMachine) readTimes() {
	for account, list := range m.model {
		got, err := m.store.Query(m.t.Context(), account, archive.Filter{}, archive.Page{Max: 1 << 20})
		m.check(err)
		if len(got.Entries) != len(list) {
			m.t.Fatalf("%s has %d entries, want %d", account, len(got.Entries), len(list))
		}
		for i, e := range got.Entries {
			if shift := e.At.Sub(list[i].At); e.ID != list[i].ID || shift < 0 || shift >= time.Second {
				m.t.Fatalf("%s: %s at %v, want %s at %v", account, e.ID, e.At, list[i].ID, list[i].At)
			}
			list[i].At = e.At
		}
	}
}

func (m *archiveMachine) compare(account jid.JID, f archive.Filter, p archive.Page) {
	want, complete, wantErr := m.model.query(account, f, p)
	got, err := m.store.Query(m.t.Context(), account, f, p)
	if !errors.Is(err, wantErr) {
		m.t.Fatalf("%s %+v %+v: %v, want %v", account, f, p, err, wantErr)
	}
	if err != nil {
		return
	}
	var ids []string
	for _, e := range got.Entries {
		ids = append(ids, e.ID)
		had := m.model[account][m.model.find(account, e.ID)]
		if e.Stanza.String() != had.Stanza.String() {
			m.t.Fatalf("%s at %v, want %s at %v", e.Stanza, e.At, had.Stanza, had.At)
		}
	}
	if !slices.Equal(ids, want) || got.Complete != complete {
		m.t.Fatalf("%s %+v %+v: %v %v, want %v %v", account, f, p, ids, got.Complete, want, complete)
	}
	all, _, err := m.model.query(account, f, archive.Page{Max: 1 << 30})
	m.check(err)
	if p.After+p.Before == "" {
		if counted, err := m.store.Query(m.t.Context(), account, f, archive.Page{}); err != nil || counted.Count != len(all) {
			m.t.Fatalf("%s %+v: %d entries, %v, want %d", account, f, counted.Count, err, len(all))
		}
	}
}

// ends compares the ends of the archives, and all of them.
func (m *archiveMachine) ends(t *rapid.T) {
	for _, account := range modelPeople {
		list := m.model[account]
		first, last, err := m.store.Ends(t.Context(), account)
		m.check(err)
		switch {
		case len(list) == 0 && first.ID+last.ID != "", len(list) > 0 && (first.ID != list[0].ID || last.ID != list[len(list)-1].ID):
			t.Fatalf("%s: from %v to %v of %d", account, first, last, len(list))
		}
		m.compare(account, archive.Filter{}, archive.Page{Max: 1 << 20})
	}
}

// Archives answer as lists in memory do, whatever has happened before.
func TestArchiveModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	template := filepath.Join(dir, "template")
	first, err := Open(t.Context(), Options{Path: template})
	if err != nil {
		t.Fatal(err)
	}
	account(t, first, alice, bob)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	database, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &archiveMachine{t: t, path: filepath.Join(dir, fmt.Sprint(n)), clock: day, model: archiveModel{alice: nil, bob: nil}}
		m.check(os.WriteFile(m.path, database, 0o600))
		var err error
		m.store, err = Open(t.Context(), Options{Path: m.path})
		m.check(err)
		defer func() { _ = m.store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"archive": m.archive, "archive more": m.archive, "archive much": m.archive,
			"query": m.query, "query more": m.query, "ends": m.ends, "prune": m.prune, "missing": m.missing, "remove": m.remove, "restart": m.restart,
		})
	})
}
