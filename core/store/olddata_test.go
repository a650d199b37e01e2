package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// A database of an earlier release has everything that it had, after it was migrated.
func TestOldData(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Path: filepath.Join(storetest.OldData(t), "dragoman.db")})
	checkOldData(t, s)
	useOldData(t, s)
}

// checkOldData compares a store with what testdata/README.md of storetest says.
func checkOldData(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	ann, bob, carol := jid.MustParse("ann@old.example"), jid.MustParse("bob@old.example"), jid.MustParse("carol@old.example")
	for _, who := range []jid.JID{ann, bob, carol} {
		c, err := s.Credentials(ctx, who)
		if err != nil || !c.Check("old "+who.Local()) || !c.Keys[sasl.SHA1].Set() || !c.Keys[sasl.SHA512].Set() {
			t.Errorf("credentials of %s: %v", who, err)
		}
	}
	items, version, err := s.Roster(ctx, ann, "")
	var text []string
	for _, i := range items {
		text = append(text, fmt.Sprint(i.JID, " ", i.Name, " ", i.Subscription, " ", i.Ask, " ", i.Groups))
	}
	want := []string{
		"bob@old.example Bob B. both false [Friends Work]", "carol@old.example  none true []", "echo.old.example Echo both false []",
		"guest1@echo.old.example Guest 1 to false [Echo]", "guest2@echo.old.example Guest 2 to false [Echo]",
		"guest3@echo.old.example Guest 3 to false [Echo]", "parrot@echo.old.example Parrot to false [Echo]",
	}
	if diff := cmp.Diff(want, text); diff != "" || err != nil || version == "" {
		t.Errorf("roster: %v %s", err, diff)
	}
	requests, err := s.RosterRequests(ctx, carol)
	if err != nil || len(requests) != 1 || requests[0].From != ann || requests[0].Tree().ChildText(stanza.NSClient, "status") != "Hello, it is Ann" {
		t.Errorf("requests: %v %v", requests, err)
	}
	if card, err := s.VCard(ctx, ann); err != nil || !strings.Contains(card, "Ann Old") {
		t.Errorf("vCard: %s %v", card, err)
	}
	if xml, err := s.Private(ctx, ann, "storage:bookmarks", "storage"); err != nil || !strings.Contains(xml, "lobby@echo.old.example") {
		t.Errorf("private: %s %v", xml, err)
	}
	if at, status, err := s.LastSeen(ctx, ann); err != nil || status != "gone home" || at.UnixMicro() != 1796024173675119 {
		t.Errorf("last seen: %v %s %v", at, status, err)
	}
	p, err := s.Prefs(ctx, bob)
	if err != nil || p.Default != archive.Roster || len(p.Always) != 1 || p.Always[0] != ann || len(p.Never) != 1 || p.Never[0] != carol {
		t.Errorf("preferences: %v %v", p, err)
	}
	var blocked []string
	if list, err := texts(s.reads.QueryContext(ctx, `SELECT jid FROM blocked WHERE account = ? ORDER BY jid`, ann.String())); err != nil {
		t.Error(err)
	} else {
		blocked = list
	}
	if fmt.Sprint(blocked) != "[bad.example spam@old.example]" {
		t.Errorf("blocked: %v", blocked)
	}
	checkOldMessages(t, s, ann, bob, carol)
}

func checkOldMessages(t *testing.T, s *Store, ann, bob, carol jid.JID) {
	t.Helper()
	waiting, err := s.OfflineMessages(t.Context(), carol, 0, 10)
	if err != nil || len(waiting) != 2 || waiting[0].Stanza.Body() != "for later, one" || waiting[1].Stanza.Body() != "for later, two" {
		t.Errorf("offline: %v %v", waiting, err)
	}
	for who, want := range map[jid.JID]string{
		ann: "m1 m2 m3 m4 m5 p1 y2cjmkzchhruw625al34cacz r1", bob: "m1 m2 m3", carol: "m4 m5",
	} {
		r, err := s.Query(t.Context(), who, archive.Filter{}, archive.Page{Max: 20})
		var ids []string
		for _, e := range r.Entries {
			ids = append(ids, e.Stanza.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("archive of %s: %s, want %s: %v", who, got, want, err)
		}
	}
	// Ids and times that clients know stay what they are.
	const id = "01a22b61-dd25-785a-b590-79878fd72efe"
	r, err := s.Query(t.Context(), bob, archive.Filter{With: ann, IDs: []string{id}}, archive.Page{Max: 2})
	if err != nil || len(r.Entries) != 1 {
		t.Fatalf("m2: %v %v", r, err)
	}
	e := r.Entries[0]
	if e.ID != id || e.At.UnixMicro() != 1796024163621549 || e.Stanza.Lang != "de" || e.Stanza.Body() != "zweitens ü" || e.Stanza.From.Resource() != "desk" ||
		e.Stanza.Child("urn:test", "x").Attr("a") != "b" || e.Stanza.Child("urn:xmpp:sid:0", "stanza-id").Attr("id") != id {
		t.Errorf("m2: %v %s", e, e.Stanza)
	}
	if r, err := s.Query(t.Context(), bob, archive.Filter{}, archive.Page{Max: 2, After: id}); err != nil || len(r.Entries) != 1 || r.Entries[0].Stanza.ID != "m3" {
		t.Errorf("after m2: %v %v", r, err)
	}
}

// useOldData goes on with a migrated database.
func useOldData(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	ann, carol := jid.MustParse("ann@old.example"), jid.MustParse("carol@old.example")
	done := make(chan error, 2)
	st := stanza.NewMessage(carol, ann, stanza.TypeChat, stanza.TextElement("", "body", "new"))
	s.AddOffline(carol, offline.Message{ID: st.ID, Stanza: st, Received: time.Now()}, func(err error) { done <- err })
	s.Archive(carol, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st}, func(err error) { done <- err })
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := s.OfflineMessages(ctx, carol, 0, 10)
	if err != nil || len(waiting) != 3 || waiting[2].Stanza.Body() != "new" {
		t.Errorf("offline: %v %v", waiting, err)
	}
	if r, err := s.Query(ctx, carol, archive.Filter{}, archive.Page{Max: 1, Backwards: true}); err != nil || len(r.Entries) != 1 || r.Entries[0].Stanza.Body() != "new" {
		t.Errorf("archive: %v %v", r, err)
	}
	if err := s.DeleteAccount(ctx, ann); err != nil {
		t.Error(err)
	}
}

// What the last run of an earlier release has delivered and not deleted is not delivered again.
func TestOldDeletionLog(t *testing.T) {
	t.Parallel()
	dir := storetest.OldData(t)
	path := filepath.Join(dir, "dragoman.db")
	line := "carol@old.example 01a22b61-dd27-7779-9ec9-86bb714656fb\n"
	if err := os.WriteFile(path+".collected", []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Path: path})
	waiting, err := s.OfflineMessages(t.Context(), jid.MustParse("carol@old.example"), 0, 10)
	if err != nil || len(waiting) != 1 || waiting[0].Stanza.Body() != "for later, two" {
		t.Errorf("offline: %v %v", waiting, err)
	}
	if _, err := os.Stat(path + ".collected"); err == nil {
		t.Error("the old file is there still")
	}
}
