package server

// phrases are what is said in each state of a stream, and what chance puts together.
var phrases = []string{
	"", " ", "</stream:stream>", "<", "\x16\x03\x01\x00\x05hello", "\x00\xff\xfe", "GET / HTTP/1.1\r\n\r\n",
	head("jabber:client", "home.test"), head("jabber:client", "gate.home.test"), head("jabber:server", "home.test"), head("jabber:component:accept", "gate.home.test"),
	head("jabber:client", "home.test") + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + head("jabber:client", "home.test") + plainAuth("romeo", "romeo"),
	plainAuth("romeo", "romeo") + head("jabber:client", "home.test") + bindX + "<presence/><message to='juliet@home.test/x'><body>x</body></message>",
	plainAuth("juliet", "romeo"), auth("PLAIN", "juliet@home.test\x00romeo\x00romeo"), auth("EXTERNAL", "juliet@home.test"),
	"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9YW5vbmNlb2ZteW93bixwPUFBQUE=</response>", "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
	bindX, "<presence/><presence type='subscribe' to='juliet@home.test'/><presence type='unavailable'/>",
	"<message from='nurse@home.test' to='juliet@home.test/x'><body>forged</body></message>", "<presence from='nurse@home.test/x' to='juliet@home.test'/>",
	"<iq type='set' id='1' from='juliet@home.test' to='juliet@home.test/x'><query xmlns='jabber:iq:roster'><item jid='evil@away.test' subscription='both'/></query></iq>",
	"<iq type='set' id='2'><query xmlns='jabber:iq:roster'><item jid='juliet@home.test' name='J'><group>a</group></item></query></iq>",
	"<iq type='set' id='3'><query xmlns='jabber:iq:register'><username>juliet</username><password>mine</password></query></iq>",
	"<iq type='set' id='4'><query xmlns='jabber:iq:register'><remove/></query></iq>",
	"<iq type='set' id='5' to='juliet@home.test'><vCard xmlns='vcard-temp'><FN>x</FN></vCard></iq>", "<iq type='get' id='6' to='juliet@home.test/x'><query xmlns='jabber:iq:version'/></iq>",
	"<iq type='set' id='7'><query xmlns='urn:xmpp:mam:2' queryid='q'><set xmlns='http://jabber.org/protocol/rsm'><max>5</max><before/></set></query></iq>",
	"<iq type='set' id='8'><enable xmlns='urn:xmpp:carbons:2'/></iq><message to='juliet@home.test/x'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@home.test' to='juliet@home.test'><body>x</body></message></forwarded></received></message>",
	"<message from='a@gate.home.test' to='juliet@home.test'><body>x</body></message><iq type='get' id='9' from='gate.home.test' to='home.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
	"<message from='juliet@home.test' to='juliet@home.test'/>", "<presence from='a@gate.home.test/x' to='juliet@home.test' type='subscribe'/>", "<handshake>00</handshake>",
	"<message xmlns='jabber:server' from='juliet@home.test' to='juliet@home.test/x'/>", "<c:message xmlns:c='jabber:client' to='juliet@home.test/x'/>", "<!DOCTYPE x [<!ENTITY y 'z'>]>", "<message>&y;</message>",
	"<iq type='result' id='sync' to='juliet@home.test/x' from='romeo@home.test'/>", "<stream:error><x xmlns='urn:x'/></stream:error>", "<message to='a@b@c'/><message to='juliet@home.test/x' type='error'/>",
	// Pieces.
	"<", ">", "/>", "'", "&", "&amp;", "]]>", "<![CDATA[", "<x xmlns='urn:x'>", "</x>", "<message", "<presence", "<iq", " type='set'", " type='get'", " type='result'", " type='error'", " type='chat'",
	" type='groupchat'", " type='subscribe'", " type='subscribed'", " type='unsubscribed'", " type='unavailable'", " type='probe'", " id='1'", " to='juliet@home.test/x'", " to='juliet@home.test'",
	" to='home.test'", " to='romeo@home.test'", " to='gate.home.test'", " to='a@gate.home.test'", " from='juliet@home.test'", " from='juliet@home.test/x'", " from='romeo@home.test'", " from='a@gate.home.test'",
	" xml:lang='de'", " xmlns='jabber:client'", " xmlns='jabber:server'", " xmlns:p='urn:p' p:a='1'", "</message>", "</presence>", "</iq>", "<body>hello</body>", "<body>", "</body>",
	"<query xmlns='jabber:iq:roster'><item jid='juliet@home.test'", " subscription='remove'", "<query xmlns='jabber:iq:roster'/>", "<error type='cancel'/>", "<privilege xmlns='urn:xmpp:privilege:2'>",
	"<forwarded xmlns='urn:xmpp:forward:0'>", "</forwarded>", "<delay xmlns='urn:xmpp:delay' from='home.test' stamp='2020-01-01T00:00:00Z'/>", "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@home.test' id='1'/>",
	"<private xmlns='urn:xmpp:carbons:2'/>", "<no-copy xmlns='urn:xmpp:hints'/>", "<priority>-1</priority>", "<show>dnd</show>", "<stream:features/>", "</query>", "</item>",
}

// pause is what stands for an end of what is written at once.
const pause = 255

// speech is what a script of phrases says, in pieces that are written one after the other.
func speech(script, text []byte) [][]byte {
	var all [][]byte
	var b []byte
	for _, c := range script {
		if c == pause {
			all, b = append(all, b), nil
			continue
		}
		b = append(b, phrases[int(c)%len(phrases)]...)
	}
	return append(all, append(b, text...))
}
