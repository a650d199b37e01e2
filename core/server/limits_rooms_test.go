package server

import "github.com/dragoman-im/dragoman/config"

// roomLimits are the limits of rooms.
func roomLimits(d config.Config) []reached {
	enter := func(at string) string {
		return "<presence to='" + at + "@conference.home.test/R'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
	}
	open := "<iq type='set' id='o' to='a@conference.home.test'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>"
	say := "<message type='groupchat' to='a@conference.home.test'><body>" + many(300, "x") + "</body></message>"
	ask := "<iq type='set' id='q' to='a@conference.home.test'><query xmlns='urn:xmpp:mam:2'/></iq>"
	search := "<iq type='get' id='s' to='conference.home.test'><search xmlns='urn:xmpp:channel-search:0:search'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>urn:xmpp:channel-search:0:search-params</value></field><field var='all'><value>1</value></field></x></search></iq>"
	reach := func(see string, text ...string) func(*testServer) *peer {
		return func(p *testServer) *peer {
			c := p.online("romeo")
			for _, t := range text {
				c.Send(t)
			}
			c.Until(see)
			return nil
		}
	}
	return []reached{
		{"rooms.per_account", d.Rooms.PerAccount, extra{limits: "[rooms]\nper_account = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send(enter("a"))
			c.Until("<subject")
			c.Send(enter("b"))
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"rooms.message_bytes", d.Rooms.MessageBytes, extra{limits: "[rooms]\nmessage_bytes = \"300 B\""}, reach("<not-acceptable ", enter("a"), open, say), ""},
		{"rooms.archive_queries", d.Rooms.ArchiveQueries, extra{limits: "[rooms]\narchive_queries = 1"}, reach("<policy-violation ", enter("a"), open, ask, ask), ""},
		{"rooms.searches", d.Rooms.Searches, extra{limits: "[rooms]\nsearches = 1"}, reach("<rate-limit ", search, search), ""},
		{"rooms.messages", d.Rooms.Messages, extra{limits: "[rooms]\nmessages = 1"}, reach("<policy-violation ", enter("a"), open, say, say, say), ""},
	}
}
