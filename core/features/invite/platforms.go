package invite

import (
	"slices"
	"strings"
)

// platform is an operating system with clients for it.
type platform struct {
	Name    string
	marks   []string // what browsers on it say, one of them
	Clients []client
}

type client struct{ Name, URL string }

// Clients that the landing page recommends.
var (
	beagle        = client{"Beagle IM", "https://beagle.im/"}
	cheogram      = client{"Cheogram", "https://cheogram.com/"}
	conversations = client{"Conversations", "https://conversations.im/"}
	dino          = client{"Dino", "https://dino.im/"}
	gajim         = client{"Gajim", "https://gajim.org/"}
	monal         = client{"Monal", "https://monal-im.org/"}
	profanity     = client{"Profanity (for terminals)", "https://profanity-im.github.io/"}
	siskin        = client{"Siskin IM", "https://siskin.im/"}
)

// platforms are in the order of the page.
var platforms = []platform{
	{"Android", []string{"Android"}, []client{conversations, cheogram}},
	{"iPhone and iPad", []string{"iPhone", "iPad"}, []client{monal, siskin}},
	{"Windows", []string{"Windows"}, []client{gajim}},
	{"macOS", []string{"Macintosh"}, []client{monal, beagle, gajim}},
	{"Linux", []string{"Linux"}, []client{dino, gajim, profanity}}, // after Android, whose browsers say Linux too
}

// platformsFor returns all platforms, that of a browser first (XEP-0379 §3.3).
func platformsFor(agent string) []platform {
	first := slices.IndexFunc(platforms, func(p platform) bool {
		return slices.ContainsFunc(p.marks, func(mark string) bool { return strings.Contains(agent, mark) })
	})
	list := slices.Clone(platforms)
	if first > 0 {
		list = slices.Insert(slices.Delete(list, first, first+1), 0, platforms[first])
	}
	return list
}
