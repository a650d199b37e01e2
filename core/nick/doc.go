// Package nick makes nicks of rooms out of display names, and finds nicks that look like each other (UTS #39 §4): two
// with the same skeleton cannot be told apart on a screen.
//
// The table of skeletons has the letters of other scripts in which a name can be written so that it looks like a Latin one,
// and what people type for each other, such as 0 and O. Letters of different case, and those with accents, are told apart.
//
// Nothing here starts a goroutine or takes a lock.
// Specifications: RFC 7622 §3.4, RFC 8265 (OpaqueString), XEP-0045 §17.1, UTS #39 (confusable detection), UAX #15 (compatibility decomposition).
package nick
