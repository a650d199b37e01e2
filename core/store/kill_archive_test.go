package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const killedArchiveEnv = "DRAGOMAN_TEST_ARCHIVE_KILLED"

// archiveUntilKilled archives messages of alice to bob and carol, and prints the id of each that is acknowledged for
// both sides. Meanwhile there are queries, which have entries written, carol is deleted and made again, and what is older than
// all messages is pruned. With a second word it queries only, so that it is killed while it writes missing entries.
func archiveUntilKilled(words string) {
	ctx := context.Background()
	url, queryOnly, _ := strings.Cut(words, " ")
	s, err := Open(ctx, Options{URL: url})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	fmt.Println("open")
	if queryOnly != "" {
		_, err := s.Query(ctx, bob, archive.Filter{}, archive.Page{Max: 1})
		fmt.Println("read", err)
		select {}
	}
	if err := s.CreateAccount(ctx, carol, sasl.Credentials{}); err != nil && !errors.Is(err, ErrAccountExists) { // killed between the two
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	var printing sync.Mutex
	for i := 0; ; i++ {
		to := []jid.JID{bob, carol}[i%2]
		id := stanza.NewID()
		sent := stanza.NewMessage(to, alice, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i)))
		var parts atomic.Int32 // the sides may be in two partitions
		done := func(err error) {
			if err != nil {
				parts.Store(-2)
			}
			if parts.Add(1) == 2 && to == bob {
				printing.Lock()
				defer printing.Unlock()
				fmt.Println(id)
			}
		}
		for _, account := range []jid.JID{alice, to} {
			s.Archive(account, archive.Entry{ID: id, At: time.Now(), Stanza: sent}, done)
		}
		s.Pace(nil)
		switch {
		case i%501 == 500:
			_, err = s.Query(ctx, []jid.JID{alice, bob}[i/501%2], archive.Filter{With: bob}, archive.Page{Max: 10, Backwards: true})
		case i%1203 == 1202:
			if err = s.DeleteAccount(ctx, carol); err == nil {
				err = s.CreateAccount(ctx, carol, sasl.Credentials{})
			}
		case i%2005 == 2004:
			_, _, err = s.PruneArchive(ctx, archives.Pruning{Before: time.Now().Add(-time.Hour), Now: time.Now(), Limit: 100})
		}
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
}

// killedArchive runs archiveUntilKilled, kills it after a time from its first line on, and returns the other lines.
func killedArchive(t *testing.T, words string, after time.Duration) (lines []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killedArchiveEnv+"="+words)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for in.Scan() {
		switch line := in.Text(); {
		case line == "open":
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		case strings.Contains(line, ":"):
			t.Errorf("process: %s", line)
		default:
			lines = append(lines, line)
		}
	}
	_ = cmd.Wait() // killed
	return lines
}

// Messages that were acknowledged before a kill are in the archives of both sides afterwards, once and in order, also
// when the next process is killed while it writes the entries that are missing.
func TestArchiveKilled(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	first, err := Open(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	account(t, first, alice, bob, carol)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for round := range 3 {
		acknowledged = append(acknowledged, killedArchive(t, url, time.Duration(150+200*round)*time.Millisecond)...)
		for i := range 3 {
			killedArchive(t, url+" query", time.Duration(i*i)*2*time.Millisecond)
		}
		s, err := Open(t.Context(), Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []jid.JID{bob, alice} {
			sameArchive(t, s, who, acknowledged)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d messages were acknowledged", len(acknowledged))
	}
}

// sameArchive checks that ids are in an archive in their order, and that none is there twice.
func sameArchive(t *testing.T, s *Store, who jid.JID, ids []string) {
	t.Helper()
	var got []string
	for after, complete := "", false; !complete; {
		r, err := s.Query(t.Context(), who, archive.Filter{With: map[jid.JID]jid.JID{alice: bob, bob: alice}[who]}, archive.Page{Max: 1000, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Entries {
			got = append(got, e.ID)
		}
		if complete = r.Complete || len(got) == 0; !complete {
			after = got[len(got)-1]
		}
	}
	known := map[string]bool{}
	for _, id := range got {
		if known[id] {
			t.Errorf("%s has %s twice", who, id)
		}
		known[id] = true
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
		if !known[id] {
			t.Errorf("%s has lost %s", who, id)
		}
	}
	got = slices.DeleteFunc(got, func(id string) bool { return !wanted[id] })
	if !slices.IsSorted(got) {
		t.Errorf("the archive of %s is not in the order of arrival", who)
	}
}
