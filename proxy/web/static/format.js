// Numbers and times as a person reads them. Pure.

const whole = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const short = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat([], { weekday: "short", day: "numeric", month: "short" });

export const count = (number) => whole.format(number);

/** Tokens in three digits or so, as `claude-max usage` has them. */
export function tokens(number) {
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= limit) return `${Number((number / limit).toPrecision(3))} ${unit}`;
  }
  return String(number);
}

export function dollars(value) {
  if (value === null || value === undefined) return "–";
  if (value > 0 && value < 0.0001) return "< $0.0001";
  const digits = value > 0 && value < 0.01 ? 4 : 2;
  return `$${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)} %`);
export const seconds = (milliseconds) => (milliseconds / 1000).toFixed(milliseconds < 99_950 ? 1 : 0);
export const megabytes = (bytes) => `${count(Math.round(bytes / 2 ** 20))} MB`;

/** A time of day; of another day with its date. */
export function moment(at, now) {
  const then = new Date(at * 1000);
  const today = new Date(now * 1000).toDateString() === then.toDateString();
  return today ? clock.format(then) : `${day.format(then)}, ${short.format(then)}`;
}

export function soon(at, now) {
  const then = new Date(at * 1000);
  const today = new Date(now * 1000).toDateString() === then.toDateString();
  return today ? short.format(then) : `${day.format(then)}, ${short.format(then)}`;
}

/** "2 d 3 h", "3 h 5 min", "12 s". */
export function span(total) {
  const left = Math.max(0, Math.floor(total));
  const [days, hours, minutes] = [Math.floor(left / 86400), Math.floor(left / 3600) % 24, Math.floor(left / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min`;
  return `${left} s`;
}

export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
