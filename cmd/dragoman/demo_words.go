package main

// addressed is the width of what an address is for.
const addressed = 16

// introduce prints what to type into a client.
func (h *demoHouse) introduce(out *screen, towns []town) {
	host, port := reachable(h.config.Listen.C2S[0])
	_, tlsPort := reachable(h.config.Listen.C2STLS[0])
	ports := port + " with STARTTLS, " + tlsPort + " with direct TLS"
	if h.moved {
		ports += " (the usual port is taken)"
	}
	out.heading("Dragoman: an XMPP server, with Slack and Discord played by stand-ins on this machine")
	out.blank()
	for _, f := range [][2]string{
		{"Address (JID)", h.options.user + "@" + demoHost},
		{"Password", h.password},
		{"Server", host},
		{"Port", ports},
	} {
		out.entry("  "+f[0], f[1], bold)
	}
	if c, err := h.certificate(); err == nil {
		sum := fingerprint(c)
		out.entry("  Certificate", "made by the server itself: your client will ask whether you trust it. SHA-256:", plain)
		half := len(sum) / 2
		out.entry("", sum[:half+1]+"\n"+sum[half+1:], dim)
	}
	if h.temporary {
		out.entry("  Data", h.config.Server.Data+", which is removed at the end (--data keeps one)", plain)
	} else {
		out.entry("  Data", h.config.Server.Data, plain)
	}
}

// invite prints what to do once the tour is over.
func (h *demoHouse) invite(out *screen, towns []town, failed error) {
	out.heading("Your turn")
	if failed != nil {
		out.line(span{text: "The tour did not get to its end, but the server runs. " + failed.Error(), style: red})
	}
	host, port := reachable(h.config.Listen.C2S[0])
	out.paragraph("Log in with a client as %s@%s, password %s, server %s, port %s.", h.options.user, demoHost, h.password, host, port)
	out.paragraph("The people answer you, and talk among themselves from time to time.")
	for _, w := range towns {
		gateway := gatewayOf(w)
		out.heading(w.name() + ", " + gateway)
		out.paragraph("Write to %s: help, status, rooms, sync, link, relink, unlink. Or open its ad-hoc commands.", gateway)
		friend := w.people()[0]
		out.line(span{"  To write to", plain, addressed}, span{w.address(friend) + "@" + gateway, bold, 45}, span{friend.name, dim, 0})
		room := w.places()[0]
		out.line(span{"  To join", plain, addressed}, span{w.roomAddress(room) + "@" + gateway, bold, 45}, span{room.name, dim, 0})
		label := "  To link one more account"
		if h.options.noTour {
			label = "  To link"
		}
		out.line(span{text: label})
		for _, c := range w.tokens(!h.options.noTour) {
			out.whole(span{text: "    "}, span{text: c.value})
		}
	}
	out.blank()
	out.paragraph("The traffic goes on below; the numbers are the steps in transports/doc.go. Ctrl-C ends it.")
	out.blank()
}
