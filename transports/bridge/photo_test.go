package bridge_test

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

const facePNG = "\x89PNG\r\n\x1a\npixels"

// photoOf is the hash of a picture in a presence: "none" is "<photo/>", "unknown" no element (XEP-0153 §3).
func photoOf(st *stanza.Stanza) string {
	x := st.Child("vcard-temp:x:update", "x")
	switch {
	case x == nil:
		return "unknown"
	case x.ChildText("vcard-temp:x:update", "photo") == "":
		return "none"
	}
	return x.ChildText("vcard-temp:x:update", "photo")
}

// Presence has the hash of the picture that the vCard has, of contacts and in rooms, also after a restart. Somebody whose picture
// cannot be read has none that is shown as known.
func TestPhotosInPresence(t *testing.T) {
	sum := sha1.Sum([]byte(facePNG))
	face := hex.EncodeToString(sum[:])
	withGateway(t, func(h *harness) {
		h.world.AddUser(transports.UserInfo{ID: "cleo", Name: "Cleo", AvatarRef: "face"})
		h.world.AddUser(transports.UserInfo{ID: "ben", Name: "Ben", AvatarRef: "text"})
		n := widen(h, nil)
		h.send(stanza.NewPresence(domain, phone, ""))
		last := func(who string) string {
			hash := ""
			for _, st := range h.received(phone) {
				if st.Kind == stanza.Presence && st.From.Local() == who {
					hash = photoOf(st)
				}
			}
			return hash
		}
		// until waits for a picture: its presence comes once it was read and its hash is stored.
		until := func(want string, have func() string) string {
			got := ""
			for range 60 {
				time.Sleep(time.Second)
				if got = have(); got == want {
					break
				}
			}
			return got
		}
		probe := func(who, want string) string {
			h.discard()
			h.send(stanza.NewPresence(contact(who), phone, stanza.TypeProbe))
			return until(want, func() string { return last(who) })
		}
		for who, want := range map[string]string{"cleo": face, "ben": "unknown", "parrot": "none"} {
			if got := probe(who, want); got != want {
				t.Errorf("the photo of %s: %s, want %s", who, got, want)
			}
		}
		entered := h.join(phone, "plaza")
		inRoom := until(face, func() string {
			hash := ""
			for _, st := range append(entered, h.received(phone)...) {
				if st.Kind == stanza.Presence && st.From.Local() == "plaza" && st.From.Resource() == "Cleo" {
					hash = photoOf(st)
				}
			}
			return hash
		})
		if inRoom != face {
			t.Errorf("the photo in a room: %s", inRoom)
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			info := transports.UserInfo{ID: "parrot", Name: "Parrot", Bot: true, AvatarRef: "face"}
			return as.SendTo("ann", transports.Event{Key: "another picture", Body: transports.Contact{Info: info}})
		}))
		changed := until(face, func() string {
			hash := ""
			for _, st := range h.received(ann) {
				if st.From.Local() == "parrot" {
					hash = photoOf(st)
				}
			}
			return hash
		})
		if changed != face {
			t.Errorf("the photo after a change: %s", changed)
		}
		n.mu.Lock()
		opened := n.opened
		n.mu.Unlock()
		h.restart()
		if got := probe("cleo", face); got != face {
			t.Errorf("the photo after a restart: %s", got)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.opened != opened {
			t.Errorf("%d pictures were read again after a restart", n.opened-opened)
		}
	})
}
