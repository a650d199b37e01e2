package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const searchMessages = "search-messages"

// rows are the rows of a table of messages as it is shown.
func rows(st *stanza.Stanza) (list []string) {
	x := st.FirstChild().Child("jabber:x:data", "x")
	if x == nil {
		return nil
	}
	for f := range x.Named("jabber:x:data", "field") {
		if f.Attr("type") == "fixed" {
			list = append(list, f.ChildText("jabber:x:data", "value"))
		}
	}
	return list
}

// XEP-0050: an account searches all its messages, and nobody else's, page by page.
func TestSearchMessages(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.ArchiveSearches = 0 }, "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	for i := range 45 {
		bob.sends(fmt.Sprintf(`<message to='alice@example.org' type='chat' id='m%d'><body>Number %d is in the café &lt;b&gt;</body></message>`, i, i))
	}
	carol.sends(`<message to='bob@example.org' type='chat' id='c'><body>not for her: cafe</body></message>`)
	s.awaitLookups()
	st := alice.runs(searchMessages, values{"words": "CAFE number"})
	var all []string
	for page := 0; ; page++ {
		list := rows(st)
		all = append(all, list...)
		if st.FirstChild().Attr("status") != "executing" {
			break
		}
		if len(list) != 20 || page > 3 {
			t.Fatalf("page %d: %s", page, st)
		}
		alice.sends(execute(searchMessages, st.FirstChild().Attr("sessionid"), ""))
		st = alice.answer()
	}
	if len(all) != 45 {
		t.Fatalf("%d messages: %q", len(all), all)
	}
	for i, row := range all {
		if !strings.Contains(row, fmt.Sprintf("Number %d is in the café <b>", 44-i)) || !strings.Contains(row, "bob@example.org") {
			t.Errorf("row %d: %q", i, row)
		}
	}
	for fields, want := range map[*values]int{
		{"words": "cafe", "with": "bob@example.org"}:               20,
		{"words": "cafe", "with": "carol@example.org"}:             0,
		{"words": `"number 7 is"`, "from": "2020-01-01"}:           1,
		{"words": `"number 7 is"`, "to": "2020-01-01"}:             0,
		{"words": `"number 7 is"`, "from": "2020-01-01T00:00:00Z"}: 1,
		{"words": "her"}: 0,
	} {
		if got := alice.runs(searchMessages, *fields); len(rows(got)) != want || got.Err() != nil {
			t.Errorf("%v: %s", *fields, got)
		}
	}
	if got := rows(carol.runs(searchMessages, values{"words": "cafe"})); len(got) != 1 || !strings.Contains(got[0], "not for her") {
		t.Errorf("carol finds %q", got)
	}
}

// What is asked wrongly is asked again; who searches too often waits; an account elsewhere is refused.
func TestSearchMessagesRefuses(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.ArchiveSearches = 2 }, "alice")
	alice := s.online(alicePC)
	for _, fields := range []values{
		{}, {"words": "?!"}, {"words": strings.Repeat("a ", 40)}, {"words": "x", "with": "@"}, {"words": "x", "from": "yesterday"}, {"words": "x", "to": "2026-13-01"},
	} {
		st := alice.runs(searchMessages, fields)
		if st.Err() != nil || st.FirstChild().Attr("status") != "executing" || st.FirstChild().Child("", "note") == nil {
			t.Errorf("%v: %s", fields, st)
		}
	}
	for i, want := range []string{"completed Nothing was found.", "completed Nothing was found.", "resource-constraint"} {
		if got := outcome(alice.runs(searchMessages, values{"words": "word"})); got != want {
			t.Errorf("search %d: %s", i, got)
		}
	}
	for _, c := range s.counts() {
		if c.Limit == "limits.archive_searches" && c.Times != 1 {
			t.Error(c)
		}
	}
	s.remote.sends(strings.Replace(execute(searchMessages, "", ""), "<iq", "<iq from='alice@remote.example/x'", 1))
	s.remote.gets(fails("iq", "cmd", "forbidden"))
}
