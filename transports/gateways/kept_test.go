package gateways

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// What somebody wrote with the network's own client is archived once, and not sent again when it is.
func TestOwnMessageIsKept(t *testing.T) {
	t.Parallel()
	ctx, ann, cleo := t.Context(), jid.MustParse("ann@home.test"), jid.MustParse("cleo@echo.home.test")
	s, err := store.Open(ctx, store.Options{URL: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateAccount(ctx, ann, sasl.Credentials{}); err != nil {
		t.Fatal(err)
	}
	own := convert.OwnCopy{Owner: ann, Contact: cleo, ID: "1", Content: []*stanza.Element{convert.Body("from there")}}
	st := own.Privileged(cleo.Host(), convert.NSPrivilege)
	st.GiveEntry()
	kept := keptBy(s)
	for again := range 2 {
		if waits, err := kept.Waits(ctx, st); err != nil || waits != (again > 0) {
			t.Errorf("not to be sent again: %v %v, want %v", waits, err, again > 0)
		}
		if err := kept.Archive(ctx, st); err != nil {
			t.Fatal(err)
		}
	}
	result, err := s.Query(ctx, ann, archive.Filter{With: cleo}, archive.Page{Max: 10})
	if err != nil || len(result.Entries) != 1 {
		t.Fatalf("%d entries: %v", len(result.Entries), err)
	}
	if e := result.Entries[0]; e.ID != st.Entry || e.Stanza.Body() != "from there" || e.Stanza.From != ann || e.Stanza.To != cleo {
		t.Errorf("archived: %s %s", e.ID, e.Stanza)
	}
}
