package room

import (
	"testing"
)

const x = "<x xmlns='" + NS + "'/>"

func TestEnter(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.in("<presence from='ann/1' to='/ann' id='a'>"+x+"</presence>").want( // XEP-0045 §7.2.2
		"<presence to='ann/1' from='/ann' id='a'><x><item affiliation='none' role='participant' jid='ann/1'/><status code='110'/></x></presence>",
		"<message to='ann/1' from='room' type='groupchat'><subject/></message>", // §7.2.15
	)
	p.in("<presence from='bob/1' to='/bob' id='b'><show>away</show><priority>3</priority>"+x+"</presence>").want(
		"<presence to='ann/1' from='/bob'><show>away</show><priority>3</priority><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/ann'><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/bob' id='b'><show>away</show><priority>3</priority><x><item affiliation='none' role='participant' jid='bob/1'/><status code='110'/></x></presence>",
		"<message to='bob/1' from='room' type='groupchat'><subject/></message>",
	)
}
