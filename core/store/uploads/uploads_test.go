package uploads

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var alice, bob = jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org")

// open opens a new database with the accounts of alice and bob.
func open(t *testing.T) *Tables {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, account := range []jid.JID{alice, bob} {
		if err := s.CreateAccount(t.Context(), account, sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	return New(s)
}

// uploadAt is a slot for a file.
func uploadAt(account jid.JID, id string, created time.Time, size int64) upload.File {
	return upload.File{ID: id, Account: account, Name: "a b.txt", Size: size, Purpose: upload.Message, Created: created, Expires: created.Add(5 * time.Minute)}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	s := open(t)
	begun := time.UnixMicro(1_700_000_000_000_000).UTC()
	f := uploadAt(alice, "one", begun, 3)
	f.Purpose, f.Until, f.Type = upload.Ephemeral, begun.Add(time.Hour), "text/plain"
	if err := s.AddUpload(t.Context(), f, upload.Quota{}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Upload(t.Context(), "one"); err != nil || got != f {
		t.Errorf("%+v, %v", got, err)
	}
	f.Type, f.Stored, f.Expires = "image/png", begun.Add(time.Minute), f.Until
	if err := s.StoreUpload(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Upload(t.Context(), "one"); err != nil || got != f {
		t.Errorf("%+v, %v", got, err)
	}
	other := f
	other.Account = bob
	for name, err := range map[string]error{
		"stored twice": s.StoreUpload(t.Context(), f), "of another account": s.StoreUpload(t.Context(), other), "unknown": second(s.Upload(t.Context(), "two")),
	} {
		if !errors.Is(err, upload.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if err := s.DeleteUpload(t.Context(), "one"); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Upload(t.Context(), "one"); !errors.Is(err, upload.ErrNotFound) {
		t.Error(err)
	}
}

func second(_ upload.File, err error) error { return err }

func TestUploadSelections(t *testing.T) {
	t.Parallel()
	s := open(t)
	begun := time.UnixMicro(1_700_000_000_000_000)
	for i, id := range []string{"slot", "stored", "profile", "ephemeral", "bobs"} {
		f := uploadAt(alice, id, begun.Add(time.Duration(i)*time.Minute), 1)
		switch id {
		case "profile":
			f.Purpose = upload.Profile
		case "ephemeral":
			f.Purpose, f.Until = upload.Ephemeral, begun.Add(time.Hour)
		case "bobs":
			f.Account = bob
		}
		if err := s.AddUpload(t.Context(), f, upload.Quota{}); err != nil {
			t.Fatal(err)
		}
		if id == "slot" {
			continue
		}
		f.Stored, f.Expires = f.Created, f.Until
		if err := s.StoreUpload(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	for name, c := range map[string]struct {
		upload.Selection
		want []string
	}{
		"nothing":  {upload.Selection{Expired: at(time.Minute), Created: at(0), Limit: 9}, nil},
		"slots":    {upload.Selection{Expired: at(6 * time.Minute), Limit: 9}, []string{"slot"}},
		"their":    {upload.Selection{Expired: at(2 * time.Hour), Limit: 9}, []string{"ephemeral", "slot"}},
		"old":      {upload.Selection{Expired: at(0), Created: at(time.Hour), Limit: 9}, []string{"bobs", "ephemeral", "slot", "stored"}},
		"some old": {upload.Selection{Expired: at(0), Created: at(time.Hour), Limit: 1}, []string{"slot"}},
		"alice's":  {upload.Selection{Account: alice, Limit: 9}, []string{"ephemeral", "profile", "slot", "stored"}},
	} {
		got, err := s.SelectUploads(t.Context(), c.Selection)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := s.store.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if got, err := s.SelectUploads(t.Context(), upload.Selection{Account: alice, Limit: 9}); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	var gone *stanza.Error
	if err := s.AddUpload(t.Context(), uploadAt(alice, "late", begun, 1), upload.Quota{}); !errors.As(err, &gone) {
		t.Errorf("a slot for a deleted account: %v", err)
	}
	if err := s.store.RemoveAccount(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUpload(t.Context(), uploadAt(bob, "late", begun, 1), upload.Quota{}); !errors.As(err, &gone) {
		t.Errorf("a slot for an account that is being deleted: %v", err)
	}
}

// The quotas of a day say when enough of the day's files are a day old.
func TestUploadQuotas(t *testing.T) {
	t.Parallel()
	s := open(t)
	begun := time.UnixMicro(1_700_000_000_000_000).UTC()
	for i, size := range []int64{1, 2, 30, 4} { // the first was yesterday
		created := begun.Add(time.Duration(i) * time.Hour)
		if i == 0 {
			created = begun.Add(-23 * time.Hour)
		}
		if err := s.AddUpload(t.Context(), uploadAt(alice, fmt.Sprint(i), created, size), upload.Quota{}); err != nil {
			t.Fatal(err)
		}
	}
	at := begun.Add(4 * time.Hour)
	hour := func(n int) time.Time { return begun.Add(24*time.Hour + time.Duration(n)*time.Hour) }
	for name, c := range map[string]struct {
		account jid.JID
		size    int64
		quota   upload.Quota
		want    upload.Exceeded
	}{
		"within":              {alice, 10, upload.Quota{Daily: 46, DailyFiles: 4, Total: 47}, upload.Exceeded{}},
		"one byte":            {alice, 10, upload.Quota{Daily: 45}, upload.Exceeded{Setting: "upload.daily", Retry: hour(1)}},
		"many bytes":          {alice, 10, upload.Quota{Daily: 15}, upload.Exceeded{Setting: "upload.daily", Retry: hour(2)}},
		"too large for a day": {alice, 10, upload.Quota{Daily: 9}, upload.Exceeded{Setting: "upload.daily"}},
		"one file":            {alice, 10, upload.Quota{DailyFiles: 3}, upload.Exceeded{Setting: "upload.daily_files", Retry: hour(1)}},
		"many files":          {alice, 10, upload.Quota{DailyFiles: 1}, upload.Exceeded{Setting: "upload.daily_files", Retry: hour(3)}},
		"all together":        {alice, 11, upload.Quota{Total: 47, Keep: 48 * time.Hour}, upload.Exceeded{Setting: "upload.total", Retry: begun.Add(25 * time.Hour)}},
		"all, kept":           {alice, 11, upload.Quota{Total: 47}, upload.Exceeded{Setting: "upload.total"}},
		"of a purpose":        {alice, 1, upload.Quota{Purpose: 4}, upload.Exceeded{Setting: "upload.message_files"}},
		"somebody else's":     {bob, 9, upload.Quota{Daily: 9, DailyFiles: 1, Total: 9}, upload.Exceeded{}},
	} {
		err := s.AddUpload(t.Context(), uploadAt(c.account, name, at, c.size), c.quota)
		var over *upload.Exceeded
		switch {
		case c.want.Setting == "" && err != nil, c.want.Setting != "" && (!errors.As(err, &over) || *over != c.want):
			t.Errorf("%s: %v (%+v), want %+v", name, err, over, c.want)
		}
		if err := s.DeleteUpload(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
}

// Requests at the same time do not exceed the quota.
func TestUploadQuotaAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_ = s.AddUpload(t.Context(), uploadAt(alice, fmt.Sprint(i), time.Now(), 10), upload.Quota{Total: 50})
		})
	}
	wg.Wait()
	if list, err := s.SelectUploads(t.Context(), upload.Selection{Account: alice, Limit: 100}); err != nil || len(list) != 5 {
		t.Errorf("%d slots, %v", len(list), err)
	}
}

// Files that are deleted on the day on which they were uploaded, such as ephemeral ones, count for that day, and for nothing later; slots
// that were not used do not.
func TestDeletedUploadsCount(t *testing.T) {
	t.Parallel()
	s := open(t)
	now := time.Now().Truncate(time.Second).UTC()
	put := func(id string, at time.Time, stored bool, q upload.Quota) error {
		f := uploadAt(alice, id, at, 10)
		f.Purpose = upload.Ephemeral
		if err := s.AddUpload(t.Context(), f, q); err != nil || !stored {
			return err
		}
		f.Stored = at
		return s.StoreUpload(t.Context(), f)
	}
	for i, id := range []string{"a", "b", "slot"} {
		if err := put(id, now.Add(time.Duration(i-3)*time.Hour), id != "slot", upload.Quota{}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteUpload(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []upload.Quota{{Daily: 29}, {DailyFiles: 2}} {
		var over *upload.Exceeded
		if err := put("c", now, true, q); !errors.As(err, &over) || !over.Retry.Equal(now.Add(-3*time.Hour+quotaDay)) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if err := put("d", now, true, upload.Quota{Daily: 30, DailyFiles: 3, Total: 10, Purpose: 1}); err != nil {
		t.Errorf("within the quota: %v", err)
	}
	if err := put("e", now.Add(quotaDay), true, upload.Quota{Daily: 10, DailyFiles: 1}); err != nil {
		t.Errorf("a day later: %v", err)
	}
	var left int
	if err := s.store.Reader().QueryRow(`SELECT count(*) FROM uploads_deleted`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}
