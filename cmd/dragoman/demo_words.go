package main

// introduce prints what to type into a client.
func (h *demoHouse) introduce(out *screen, towns []town) {
	host, port := reachable(h.config.Listen.C2S[0])
	_, tlsPort := reachable(h.config.Listen.C2STLS[0])
	out.heading("Dragoman: an XMPP server, with Slack and Discord played by stand-ins on this machine")
	out.blank()
	for _, f := range [][2]string{
		{"Address (JID)", h.options.user + "@" + demoHost},
		{"Password", h.password},
		{"Server", host},
		{"Port", port + " with STARTTLS, " + tlsPort + " with direct TLS"},
	} {
		out.line(span{"  " + f[0], plain, nameColumns}, span{f[1], bold, 0})
	}
	if c, err := h.certificate(); err == nil {
		sum := fingerprint(c)
		out.line(span{"  Certificate", plain, nameColumns}, span{text: "made by the server itself: your client will ask whether you trust it. SHA-256:"})
		half := len(sum) / 2
		out.line(span{"", plain, nameColumns}, span{sum[:half+1], dim, 0})
		out.line(span{"", plain, nameColumns}, span{sum[half+1:], dim, 0})
	}
	if h.temporary {
		out.line(span{"  Data", plain, nameColumns}, span{text: h.config.Server.Data + ", which is removed at the end (--data keeps one)"})
	} else {
		out.line(span{"  Data", plain, nameColumns}, span{text: h.config.Server.Data})
	}
}

// invite prints what to do once the tour is over.
func (h *demoHouse) invite(out *screen, towns []town, failed error) {
	out.heading("Your turn")
	if failed != nil {
		out.line(span{text: "The tour did not get to its end, but the server runs. " + failed.Error(), style: red})
	}
	host, port := reachable(h.config.Listen.C2S[0])
	out.say("Log in with a client as %s@%s, password %s, server %s, port %s.", h.options.user, demoHost, h.password, host, port)
	out.say("The people answer you, and talk among themselves from time to time.")
	for _, w := range towns {
		gateway := gatewayOf(w)
		out.heading(w.name() + ", " + gateway)
		out.say("  Write to %s: help, status, rooms, sync, link, relink, unlink. Or open its ad-hoc commands.", gateway)
		friend := w.people()[0]
		out.line(span{"  To write to", plain, nameColumns}, span{w.address(friend) + "@" + gateway, bold, 44}, span{friend.name, dim, 0})
		room := w.places()[0]
		out.line(span{"  To join", plain, nameColumns}, span{w.roomAddress(room) + "@" + gateway, bold, 44}, span{room.name, dim, 0})
		label := "  To link one more"
		if h.options.noTour {
			label = "  To link"
		}
		for _, c := range w.tokens(!h.options.noTour) {
			out.line(span{label, plain, nameColumns}, span{text: c.value})
			label = ""
		}
	}
	out.blank()
	out.say("The traffic goes on below; the numbers are the steps in transports/doc.go. Ctrl-C ends it.")
	out.blank()
}
