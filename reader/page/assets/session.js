// Who views. What only viewers see stands below a path that the server tells who gives
// the token; it is kept for this tab alone.

export const below = (path) => `${sessionStorage.getItem("place") ?? "nowhere"}/${path}`;

// login gives the token and returns whether it is the right one.
export const login = async (token) => {
  const answer = await fetch("session", { method: "POST", body: token });
  if (answer.ok) sessionStorage.setItem("place", await answer.text());
  return answer.ok;
};
