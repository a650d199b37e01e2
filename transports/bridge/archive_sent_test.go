package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// submit sends a message as the server does whose account has an archive.
func (h *harness) submit(st *stanza.Stanza) {
	st.GiveEntry()
	h.send(st)
}

// expectSent compares what the archive of ann has.
func (h *harness) expectSent(want ...string) {
	h.Helper()
	result, err := h.store.Query(h.Context(), ann, archive.Filter{}, archive.Page{Max: 100})
	h.check(err)
	var got []string
	for _, e := range result.Entries {
		got = append(got, e.Stanza.Body())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("the archive has %q, want %q", got, want)
	}
}

// A message to a contact is in its sender's archive if the outbox has it, and not otherwise.
func TestArchivedWithTheCall(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.check(h.store.Register(h.Context(), ann, "secret"))
		h.link(phone, "ann")
		h.discard()
		chat := func(text string, more ...*stanza.Element) *stanza.Stanza {
			return stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, append([]*stanza.Element{body(text)}, more...)...)
		}
		h.submit(chat("sent"))
		h.submit(chat(strings.Repeat("too long ", 100_000)))
		origin := message.OriginID("an-id-of-more-than-sixteen")
		h.submit(chat("again", origin))
		h.submit(chat("again", origin)) // the client did not see that it had arrived
		h.submit(stanza.NewMessage(domain, phone, stanza.TypeChat, body("help")))
		h.expectNetwork("dm-ann-cleo", "ann: sent", "ann: again")
		h.expectSent("sent", "again", "help")
		h.sendTo(phone, "cleo", "not to be archived")
		h.expectSent("sent", "again", "help")
	})
}

// Where the outbox cannot be written the archive is not written either, and the sender sees an error.
func TestNotArchivedWithoutTheCall(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.check(h.store.Register(h.Context(), ann, "secret"))
		h.link(phone, "ann")
		h.submit(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, body("first")))
		h.change(`CREATE UNIQUE INDEX only_one ON bridge_outbox (sender)`) // which a second call breaks
		h.discard()
		h.submit(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, body("second")))
		h.expect(phone, "cleo error resource-constraint")
		h.change(`DROP INDEX only_one`)
		h.submit(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, body("third")))
		h.expectSent("first", "third")
	})
}
