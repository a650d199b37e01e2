package push

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Events of nodes, which all contacts of an account get, are not parsed to find out whether a push service ends its notifications.
func TestEventsAreNotParsed(t *testing.T) {
	event := stanza.NewMessage(jid.MustParse("ann@a.test/phone"), jid.MustParse("bob@a.test"), stanza.TypeHeadline)
	event.Payload = "<event xmlns='" + nsPubsub + "#event'><items node='x'><item id='current'><x xmlns='x'>text</x></item></items></event>"
	var p Push
	pass := &router.Pass{Stanza: event}
	if got := testing.AllocsPerRun(100, func() {
		if err := p.inbound(t.Context(), pass); err != nil {
			t.Fatal(err)
		}
		event.DropTree()
	}); got != 0 {
		t.Errorf("%v allocations for an event", got)
	}
}
