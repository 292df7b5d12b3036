// A browser may keep a page as it was and show it again when somebody goes back,
// whatever Cache-Control says: Chromium does even after a sign-out, which
// changes the cookie before the page is put aside. So it is hidden when it is put
// aside, and asked for anew when it comes back.
addEventListener("pagehide", event => {
  if (event.persisted) document.documentElement.style.visibility = "hidden"
})
addEventListener("pageshow", event => {
  if (event.persisted) location.reload()
})
