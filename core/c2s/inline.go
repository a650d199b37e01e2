package c2s

import (
	"github.com/dragoman-im/dragoman/core/stanza"
)

// nsBind2 is the namespace of XEP-0386.
const nsBind2 = "urn:xmpp:bind:0"

// loginInline is an extension of this package that a client can use together with its login (XEP-0388 §2.1), before a session is
// bound. Extensions that are features of a host are in router.Feature.
type loginInline struct {
	feature      string // name of the element that is announced, in the namespace space
	space, local string // of the client's request, a child of <authenticate/>
	// perform handles the request. Its result is added to <success/>. If then is not nil, the connection continues an earlier session,
	// which perform has attached: none is bound, and then is called when the success was sent, instead of sending features.
	perform func(c *conn, e *stanza.Element) (result *stanza.Element, then func())
}

// bindInline is one that a client can use together with binding (XEP-0386 §4.1).
type bindInline struct {
	space, local string // space is announced; both are of the client's request, a child of <bind/>
	// perform handles the request for the session that is being bound. Its result, if there is one, is added to <bound/>.
	perform func(c *conn, s *session, e *stanza.Element) *stanza.Element
}

// loginInlines returns what can be used with a login, in the order in which requests are handled.
func loginInlines() []loginInline {
	return []loginInline{{feature: "sm", space: nsManagement, local: "resume", perform: (*conn).resumeInline}}
}

// bindInlines returns what can be used with binding.
func bindInlines() []bindInline {
	return []bindInline{
		{space: nsManagement, local: "enable", perform: (*conn).enableInline},
		{space: nsClientState, local: "inactive", perform: (*conn).inactiveInline}, // XEP-0386 §4.1
	}
}

// inlineFeatures returns what SASL2 announces as inline features.
func (c *conn) inlineFeatures() []*stanza.Element {
	var list []*stanza.Element
	for _, x := range loginInlines() {
		list = append(list, stanza.NewElement(x.space, x.feature))
	}
	inline := stanza.NewElement(nsBind2, "inline")
	offer := func(space string) { inline.Add(stanza.NewElement(nsBind2, "feature").With("var", space)) }
	for _, x := range bindInlines() {
		offer(x.space)
	}
	for _, space := range c.host.Router.Inlines() {
		offer(space)
	}
	return append(list, stanza.NewElement(nsBind2, "bind").Add(inline))
}
