// Package vcard4 converts between the two XML formats of vCards: vcard-temp (XEP-0054) and vCard4 (RFC 6351), as XEP-0292 describes
// it (§ "Mapping from vcard-temp to vCard4").
//
// What one format has no counterpart for in the other is lost by a conversion: LABEL, MAILER, CLASS, an AGENT with a vCard in it,
// PHONETIC and the types of addresses and telephones that vCard4 has removed; and in the other direction gender, lang, kind, related,
// anniversary, addresses of other networks (impp) and all parameters except type, pref and sort-as. So both functions take the
// previous vCard in the target format, of which they keep the properties without a counterpart. A NOTE becomes a DESC, because both are
// note in vCard4, where a second one stays a NOTE.
//
// The functions are pure; what they return is about as large as what they got, and a card has at most MaxProperties.
//
// Specifications: XEP-0292, XEP-0054, RFC 6350, RFC 6351.
package vcard4
