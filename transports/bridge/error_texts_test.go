package bridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// asks writes to the gateway itself and returns its answers.
func (h *harness) asks(text string) string {
	h.Helper()
	h.discard()
	h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", text)))
	time.Sleep(time.Second)
	var all []string
	for _, st := range h.received(phone) {
		switch {
		case st.Type == stanza.TypeError:
			all = append(all, "error: "+st.Err().Text)
		case st.Kind == stanza.Message:
			all = append(all, st.Body())
		}
	}
	return strings.Join(all, "\n")
}

// The gateway names what is wrong with what one writes to it.
func TestAnswersToWords(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		for text, want := range map[string]string{
			"frobnicate":                "That is nothing that can be done here. This is the gateway",
			"xoxp-12-ab":                "That is nothing",
			"rooms":                     "You have not linked an account yet: write “link”. This is the gateway",
			"unlink":                    "You have not linked an account yet: write “link”. This is the gateway",
			"help":                      "This is the gateway",
			strings.Repeat("x", 60):     "That is nothing",
			strings.Repeat("x", 100000): "error: This message is too long: 100,000 of ",
		} {
			if got := h.asks(text); !strings.HasPrefix(got, want) {
				t.Errorf("%.40q is answered %.200q, want %q", text, got, want)
			} else if text == "xoxp-12-ab" && strings.Contains(got, text) { // the answer is archived
				t.Errorf("a token is repeated: %q", got)
			}
		}
	})
}

// A rate limit is called what it is, and not that the network cannot be reached.
func TestRateLimitIsNamed(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		limit := &transports.Error{Class: transports.Retry, Text: "Echo asks to wait", After: time.Hour, Unsent: true}
		h.world.Fault(faultnet.Fault{Err: limit})
		h.sendToRoom(phone, "plaza", "one")
		time.Sleep(10 * time.Minute)
		got := strings.Join(h.messages(phone), "\n")
		if !strings.Contains(got, "Echo asks to wait. Your messages wait") || strings.Contains(got, "cannot be reached") {
			t.Errorf("%q", got)
		}
		time.Sleep(2 * time.Hour)
		h.expectNetwork("plaza", "ann: one")
	})
}
