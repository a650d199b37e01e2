package featuretest

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// An account chooses how long its messages are kept, within what the server allows; an administrator sets that for others.
func TestRetentionCommands(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		c.Server.Archive = config.Duration(100 * 24 * time.Hour)
		c.Server.Admins = []string{"boss@example.org"}
	}, "alice", "boss")
	alice, boss := s.online(alicePC), s.online(bossPC)
	tables := retention.New(s.store)
	kept := func() archive.Retention {
		t.Helper()
		r, err := tables.Retention(t.Context(), jid.MustParse(aliceBare))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	const own, granted, day = "archive-retention", adminNode + "archive-retention", 24 * time.Hour
	if got := alice.runs(own, nil); !strings.Contains(got.String(), "100 days") || len(field(got, "days")) != 0 {
		t.Error(got)
	}
	if got := outcome(alice.runs(own, values{"days": "30"})); got != "completed Your messages are kept 30 days." || kept().Own != 30*day {
		t.Errorf("%s: %+v", got, kept())
	}
	for _, wrong := range []string{"101", "0", "-1", "x", "1.5", "99999999999999999999"} {
		if got := alice.runs(own, values{"days": wrong}); got.Err() != nil || got.FirstChild().Attr("status") != "executing" || kept().Own != 30*day {
			t.Errorf("%s: %s", wrong, got)
		}
	}
	if got := outcome(alice.runs(own, values{})); got != "completed Nothing is changed." || kept().Own != 30*day {
		t.Errorf("%s: %+v", got, kept())
	}
	if got := outcome(alice.runs(granted, values{"accountjid": aliceBare, "days": "5"})); got != "forbidden" || kept().Granted != 0 {
		t.Errorf("%s: %+v", got, kept())
	}
	if got := outcome(boss.runs(granted, values{"accountjid": aliceBare, "days": "0"})); got != "completed The archive of alice@example.org is kept for ever." || kept().Granted != archive.Forever {
		t.Errorf("%s: %+v", got, kept())
	}
	if got := outcome(alice.runs(own, values{"days": "101"})); got != "completed Your messages are kept 101 days." {
		t.Error(got)
	}
	if got := boss.runs(granted, values{"accountjid": aliceBare, "days": "soon"}); got.Err() != nil || got.FirstChild().Attr("status") != "executing" {
		t.Error(got)
	}
	if got := outcome(boss.runs(granted, values{"accountjid": "nobody@example.org", "days": "5"})); got != "item-not-found" {
		t.Error(got)
	}
	if got := outcome(boss.runs(granted, values{"accountjid": aliceBare})); !strings.HasPrefix(got, "completed") || kept() != (archive.Retention{Own: 101 * day}) {
		t.Errorf("%s: %+v", got, kept())
	}
	if got := outcome(alice.runs(own, values{"days": " "})); !strings.HasPrefix(got, "completed") {
		t.Error(got)
	}
	s.remote.sends(strings.Replace(execute(own, "", ""), "<iq", "<iq from='alice@remote.example/x'", 1))
	s.remote.gets(fails("iq", "cmd", "forbidden"))
}
