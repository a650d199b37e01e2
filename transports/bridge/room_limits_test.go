package bridge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

const roomLimits = "https://github.com/dragoman-im/dragoman/room-limits"

// describe asks a room for its description.
func (h *harness) describe(who jid.JID, id string) *stanza.Element {
	h.Helper()
	a := h.ask(who, room(id), stanza.TypeGet, stanza.NewElement(discoInfo, "query"))
	if a.Type != stanza.TypeResult {
		h.Fatal(a)
	}
	return a.Child(discoInfo, "query")
}

func featuresOf(x *stanza.Element) (list []string) {
	for f := range x.Named(discoInfo, "feature") {
		list = append(list, f.Attr("var"))
	}
	return list
}

// networkFeatures are the features of a room that a network may lack.
var networkFeatures = []string{"urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0", "urn:xmpp:reply:0"}

// limitsOf is a form of a description in words: "field=values".
func limitsOf(x *stanza.Element, formType string) string {
	f := form.Find(x, formType)
	if f == nil {
		return ""
	}
	var words []string
	for _, fd := range f.Fields {
		if fd.Var != form.TypeVar {
			words = append(words, fd.Var+"="+strings.Join(fd.Values, ","))
		}
	}
	return strings.Join(words, " ")
}

// A room tells each what the network takes by their login.
func TestRoomSaysItsLimits(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.MaxText = 4000
		h.set.Text = 10000
		h.net = &wide{Network: h.net, narrow: func(room transports.RoomID, caps transports.Caps) transports.Caps {
			switch room {
			case "den":
				caps.Edit, caps.Delete, caps.React, caps.Reply, caps.Thread, caps.Typing, caps.Read = false, false, false, false, false, false, false
			case "plaza":
				caps.EditWindow, caps.MaxEdits, caps.MaxEdit, caps.DeleteWindow = 10*time.Minute, 3, 200, 48*time.Hour
				caps.MaxReactions, caps.Reactions = 2, []string{"👍", "❤️"}
			}
			return caps
		}}
		h.start()
		h.link(phone, "ann")
		for _, joined := range []bool{false, true} {
			if joined {
				h.join(phone, "plaza")
				h.join(phone, "den")
			}
			plaza, den := h.describe(phone, "plaza"), h.describe(phone, "den")
			for _, f := range networkFeatures {
				if !slices.Contains(featuresOf(plaza), f) || slices.Contains(featuresOf(den), f) {
					t.Errorf("%s: %s\n%s", f, plaza, den)
				}
			}
			want := "edits=1 edit-window=600 max-edits=3 max-edit-length=200 deletions=1 deletion-window=172800 max-length=4000 max-body-bytes=10000 " +
				"files=0 reactions=1 replies=1 threads=1 typing=1 read-marks=1"
			if got := limitsOf(plaza, roomLimits); got != want {
				t.Errorf("plaza: %s", got)
			}
			if got := limitsOf(plaza, "urn:xmpp:reactions:0:restrictions"); got != "max_reactions_per_user=2 allowlist=👍,❤️" {
				t.Errorf("plaza: %s", got)
			}
			want = "edits=0 deletions=0 max-length=4000 max-body-bytes=10000 files=0 reactions=0 replies=0 threads=0 typing=0 read-marks=0"
			if got := limitsOf(den, roomLimits); got != want {
				t.Errorf("den: %s", got)
			}
			if got := limitsOf(den, "urn:xmpp:reactions:0:restrictions"); got != "" {
				t.Errorf("den: %s", got)
			}
		}
		if got := h.received(phone); slices.ContainsFunc(got, func(st *stanza.Stanza) bool { return strings.Contains(st.String(), "status code='104'") }) {
			t.Errorf("the configuration is said to have changed: %v", got)
		}
	})
}

// A list of allowed reactions that is too long is left out whole.
func TestRoomWithManyReactions(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = &wide{Network: h.net, narrow: func(_ transports.RoomID, caps transports.Caps) transports.Caps {
			caps.MaxReactions, caps.Reactions = 1000, slices.Repeat([]string{strings.Repeat("👍", 50)}, 100)
			return caps
		}}
		h.start()
		h.link(phone, "ann")
		if got := limitsOf(h.describe(phone, "plaza"), "urn:xmpp:reactions:0:restrictions"); got != "max_reactions_per_user=50" {
			t.Error(got)
		}
	})
}
