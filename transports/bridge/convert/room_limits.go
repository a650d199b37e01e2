package convert

import (
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// NSRoomLimits is the form in which a room says what its network can do, and NSRestrictions that for reactions (XEP-0444 §2.2).
const (
	NSRoomLimits   = "https://github.com/dragoman-im/dragoman/room-limits"
	NSRestrictions = NSReactions + ":restrictions"
)

// maxAllowlist is how many bytes the list of the allowed reactions may have. A longer one is not shown: one that is cut
// would forbid what is allowed.
const maxAllowlist = 16 << 10

// declared are features, and whether the network can do what they stand for.
type declared []struct {
	have bool
	ns   string
}

func (d declared) features() (list []string) {
	for _, f := range d {
		if f.have {
			list = append(list, f.ns)
		}
	}
	return list
}

// RoomFeatures are the features of a room that depend on the network.
func RoomFeatures(caps transports.Caps) []string {
	return declared{{caps.Edit, NSCorrect}, {caps.Delete, NSRetract}, {caps.React, NSReactions}, {caps.Reply, NSReply}}.features()
}

// RoomLimits are the XEP-0128 forms that say what the network takes in a room; transports/README.md has their fields. What has no limit
// has no field.
func (p Parser) RoomLimits() []*stanza.Element {
	caps := p.Info.Caps
	f := form.New(form.Result, NSRoomLimits, "")
	f.Bool("edits", "", caps.Edit)
	if caps.Edit {
		seconds(f, "edit-window", caps.EditWindow)
		number(f, "max-edits", int64(caps.MaxEdits))
		number(f, "max-edit-length", int64(p.maxEdit()))
	}
	f.Bool("deletions", "", caps.Delete)
	if caps.Delete {
		seconds(f, "deletion-window", caps.DeleteWindow)
	}
	number(f, "max-length", int64(caps.MaxText))
	number(f, "max-body-bytes", int64(p.MaxText))
	f.Bool("files", "", false) // the bridge sends their addresses
	f.Bool("reactions", "", caps.React)
	f.Bool("replies", "", caps.Reply)
	f.Bool("threads", "", caps.Thread)
	f.Bool("typing", "", caps.Typing)
	f.Bool("read-marks", "", caps.Read)
	if !caps.React {
		return []*stanza.Element{f.Element()}
	}
	return []*stanza.Element{f.Element(), restrictions(caps.Limits).Element()}
}

// restrictions are those of reactions (XEP-0444 §2.2).
func restrictions(l transports.Limits) *form.Form {
	f := form.New(form.Result, NSRestrictions, "")
	most := MaxReactions
	if l.MaxReactions > 0 {
		most = min(most, l.MaxReactions)
	}
	number(f, "max_reactions_per_user", int64(most))
	var allowed []string
	size := 0
	for _, e := range l.Reactions {
		if emoji := richtext.NormalEmoji(e); emoji != "" {
			allowed = append(allowed, emoji)
			size += len(emoji)
		}
	}
	if len(allowed) > 0 && size <= maxAllowlist {
		f.Add(form.Field{Var: "allowlist", Type: form.TextMulti, Values: allowed})
	}
	return f
}

func number(f *form.Form, name string, n int64) {
	if n > 0 {
		f.Add(form.Field{Var: name, Values: []string{strconv.FormatInt(n, 10)}})
	}
}

func seconds(f *form.Form, name string, d time.Duration) { number(f, name, int64(d/time.Second)) }
